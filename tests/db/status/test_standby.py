"""A standby: its facts are those of its primary, and it says how it stands to that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.status.fact import Level
from support.databases import mark
from support.faults.cluster import Replicated
from support.snapshots import Seen, known
from support.waiting import wait_until


@pytest.fixture(scope="module")
def pair() -> Iterator[Replicated]:
    """A primary and its standby, whose database postgres is marked staging."""
    with Replicated() as made:
        mark(made.dsn(), "staging")
        yield made


def test_both_sides(pair: Replicated, tmp_path: Path) -> None:
    seen = Seen(tmp_path, pair.dsn())
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.up()
    primary = known(seen.fact("server"))
    assert (primary.role, primary.standbys) == ("primary", 1)
    assert primary.said.startswith(f"{primary.version}, 1 standby")
    standby = pair.standby.dsn()
    wait_until(lambda: seen.facts(standby)["migrations"].said == "1 applied", "it has replayed the ledger")
    facts = seen.facts(standby)
    assert {name for name, fact in facts.items() if fact.level == Level.UNKNOWN} == {"drift"}
    value = known(facts["server"])
    assert (value.role, value.streams) == ("standby", True)
    assert known(facts["last"]).ran[0].outcome == "done"
    assert facts["server"].findings == ()


def test_a_standby_without_a_primary(pair: Replicated, tmp_path: Path) -> None:
    seen = Seen(tmp_path, pair.standby.dsn())
    assert seen.said("server") == []
    ((primary,),) = pair.standby.execute("SELECT quote_literal(current_setting('primary_conninfo'))")
    pair.standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
    pair.standby.execute("SELECT pg_reload_conf()")
    try:
        wait_until(lambda: bool(seen.said("server")), "it receives nothing")
        assert seen.said("server") == ["this standby receives nothing from its primary"]
    finally:  # commits of the primary wait for it
        pair.standby.execute(f"ALTER SYSTEM SET primary_conninfo = {primary}")
        pair.standby.execute("SELECT pg_reload_conf()")
