"""What a snapshot says of the server, its mark, the migrations and the last change."""

from __future__ import annotations

import pytest

from pgrehearse.errors import PgRehearseError
from pgrehearse.status.fact import Known, Level
from support.databases import Owned, execute
from support.snapshots import Seen, known, place_of

#: What nobody has asked for yet in a fresh database.
_NOT_ASKED = {"drift": "not compared yet"}


def test_a_fresh_database(seen: Seen) -> None:
    facts = seen.facts()
    assert {name for name, fact in facts.items() if fact.level == Level.UNKNOWN} == set(_NOT_ASKED)
    assert {name: fact.said for name, fact in facts.items() if name not in ("server", "rights")} == {
        "migrations": "0 applied",
        "promotion": "not installed",
        "now": "nothing",
        "last": "nothing was run",
        "drift": "not compared yet",
        "leftovers": "none",
        "holding": "nothing",
        "backup": "not asked for",
    }
    for fact in facts.values():
        if isinstance(fact, Known):
            assert fact.measured_at.tzinfo is not None
            assert fact.took >= 0


def test_another_mark_than_the_file_says(seen: Seen, owned: Owned) -> None:
    seen.place = place_of(owned.admin, mark="production")
    assert seen.said("server") == ["the database is marked staging, not production"]
    execute(owned.admin, f'ALTER DATABASE "{owned.name}" RESET ALL')
    assert seen.said("server") == ["the database is marked nothing, not production"]
    execute(owned.admin, f"COMMENT ON DATABASE \"{owned.name}\" IS '[pgrehearse.environment=test] x'")
    assert "not at its end" in seen.said("server")[0]


def test_migrations(seen: Seen) -> None:
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.migration(3, "ALTER TABLE shop ADD COLUMN name text;")
    seen.up()
    assert seen.fact("migrations").said == "2 applied"
    seen.migration(4, "SELECT 1;")
    value = known(seen.fact("migrations"))
    assert (value.version, value.pending) == ("3", ("4_step",))
    assert seen.level("migrations") == Level.WELL
    seen.migration(1, "CREATE TABLE shop (id bigint);")
    seen.migration(2, "SELECT 1;")
    (seen.project.migrations / "3_step.sql").unlink()
    assert seen.said("migrations") == [
        "1_step was edited after it was applied",
        "2_step is older than a migration that is applied already, and would run in another order elsewhere",
        "3 is applied, but its file is gone",
    ]


def test_a_ledger_that_cannot_be_trusted_is_unknown(seen: Seen, owned: Owned) -> None:
    seen.migration(1, "SELECT 1;")
    seen.up()
    execute(owned.admin, "ALTER TABLE public.schema_migrations RENAME TO was")
    unknown = seen.unknown()
    assert "public.schema_migrations is gone" in unknown["migrations"]


def test_the_last_change_and_what_it_cost(seen: Seen) -> None:
    seen.migration(1, "CREATE TABLE shop (id int); INSERT INTO shop SELECT generate_series(1, 1000);")
    seen.migration(2, "ALTER TABLE shop ALTER COLUMN id TYPE bigint;")
    seen.up()
    ran = known(seen.fact("last")).ran
    assert [(one.label, one.outcome, one.tries) for one in ran] == [
        ("2_step", "done", 1),
        ("1_step", "done", 1),
    ]
    assert ran[0].rewritten == ("shop",)
    assert ran[1].wal_bytes > 1000
    assert ran[0].milliseconds > 0
    assert ran[0].who
    assert seen.level("last") == Level.WELL


def test_a_migration_that_was_not_finished(seen: Seen) -> None:
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.migration(2, "SELECT 1/0;")
    for _ in range(2):
        with pytest.raises(PgRehearseError):
            seen.up()
    assert known(seen.fact("last")).ran[0].tries == 2
    (said,) = seen.said("last")
    assert said.startswith("2_step up was not finished, 2 tries: ")
    assert "division by zero" in said
    seen.migration(2, "SELECT 1;")
    seen.up()
    assert known(seen.fact("last")).ran[0].tries == 3
    assert seen.said("last") == []
