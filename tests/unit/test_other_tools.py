"""What the guide shows of other tools is what was executed; what a tool sent is told without its books."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from pgrehearse import sealed
from pgrehearse.errors import DocumentError
from support import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import other_tools_bench as bench
import other_tools_page as page


def test_every_file_is_as_it_was_executed() -> None:
    known = sealed.read(bench.EVIDENCE)
    assert set(known["tools"]) == set(bench.TOOLS)
    assert list(known["postgresql"]) == ["15", "16", "17", "18"]
    for name, tool in known["tools"].items():
        found = {change: bench.digest(change, name) for change in bench.CHANGES}
        assert {change: one["digest"] for change, one in tool["changes"].items()} == found


@pytest.mark.parametrize("file", ["knex/index-create/01_store_price_index.mjs", "alembic/env.py"])
def test_a_file_that_changed_since_is_not_shown(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "other-tools"
    shutil.copytree(bench.SOURCE, source)
    for module in (bench, page):
        monkeypatch.setattr(module, "SOURCE", source)
    make = page.parts()["other tools index-create"]
    assert "CREATE INDEX CONCURRENTLY" in make()  # where it lies does not matter
    (source / file).write_text((source / file).read_text("utf-8") + "\n", encoding="utf-8")
    with pytest.raises(DocumentError, match=r"changed since it was executed"):
        make()


def test_transactions_with_nothing_in_them_are_not_told() -> None:
    sent = ["BEGIN", "COMMIT", "BEGIN", "ALTER TABLE t ADD c int", "COMMIT", "begin", "rollback;"]
    assert bench.without_empty(sent) == sent[2:5]
