"""The table of damages: whatever it says of an adapter, a test of that adapter tries."""

from __future__ import annotations

import pytest

from support import ROOT
from support.damages import REFUSED, damages_of

MODULES = {
    "pg_basebackup": "test_base_backup.py",
    "pg_dump": "test_dump.py",
    "pgbackrest": "test_pgbackrest.py",
    "barman": "test_barman.py",
    "command": "test_own_command.py",
}


@pytest.mark.parametrize("adapter", MODULES)
def test_every_damage_is_tried(adapter: str) -> None:
    text = (ROOT / "tests" / "db" / "backup" / MODULES[adapter]).read_text("utf-8")
    assert [damage for damage in damages_of(adapter) if f'"{damage}"' not in text] == []


def test_there_are_twenty_at_least_and_each_is_of_a_known_adapter() -> None:
    assert len(REFUSED) >= 20
    assert {name for by in REFUSED.values() for name in by} == set(MODULES)
    assert all(said for by in REFUSED.values() for said in by.values())
