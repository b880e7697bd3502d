"""Drift in a snapshot: the last comparison, as long as it can be believed."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from pgrehearse import clock, sealed
from pgrehearse.environments.target import open_target
from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.status import drift
from pgrehearse.status.fact import Known, Unknown
from support.databases import execute, mark
from support.snapshots import Seen, known


@pytest.fixture
def seen(database: str, tmp_path: Path) -> Seen:
    """A database that belongs to whoever migrates, for a comparison asks whose it is."""
    mark(database, "staging")
    return Seen(tmp_path, database)


def reason(seen: Seen) -> str:
    fact = seen.fact("drift")
    assert isinstance(fact, Unknown), fact.said
    return fact.reason


def test_the_last_comparison_and_what_puts_it_right(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    seen.migration(1, "CREATE TABLE shop (id int, name text); CREATE INDEX shop_name ON shop (name);")
    seen.up()

    def compare() -> drift.Drift:
        return drift.compare(seen.project, seen.place.label, open_target(seen.dsn), seen.migrations)

    assert reason(seen) == "not compared yet"
    assert compare().differences == ()
    assert seen.fact("drift").said == "none"
    before = clock.now()
    by_hand = [
        "ALTER TABLE public.shop ADD COLUMN by_hand int",
        'CREATE INDEX "By hand" ON public.shop (id)',
        "ALTER TABLE public.shop ADD CONSTRAINT positive CHECK (id > 0)",
        "ALTER TABLE public.shop ADD CONSTRAINT late CHECK (id > 1) NOT VALID",
        "CREATE VIEW public.looks AS SELECT 1 AS a",
        "CREATE FUNCTION public.f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP INDEX public.shop_name",
    ]
    for statement in by_hand:
        execute(seen.dsn, statement)
    fact = seen.fact("drift")  # the last comparison, which says when it was
    assert isinstance(fact, Known)
    assert (fact.said, fact.measured_at < before, fact.took > 0) == ("none", True, True)
    compare()
    value = known(seen.fact("drift"))
    mends = {one.puts_right for one in value.differences}
    assert mends >= {
        'DROP INDEX public."By hand"',
        "ALTER TABLE public.shop DROP CONSTRAINT positive",
        "ALTER TABLE public.shop DROP CONSTRAINT late",
        "DROP VIEW public.looks",
        "DROP FUNCTION public.f(a integer)",
        "CREATE INDEX shop_name ON public.shop USING btree (name)",
    }
    assert not any("COLUMN" in one for one in filter(None, mends)), "rows would be lost"
    for statement in [*filter(None, mends), "ALTER TABLE public.shop DROP COLUMN by_hand"]:
        execute(seen.dsn, statement)
    assert compare().differences == ()
    seen.migration(2, "SELECT 1;")
    seen.up()
    assert reason(seen).endswith(" ago, and other migrations are applied since")
    compare()
    assert known(seen.fact("drift")).differences == ()
    monkeypatch.setattr(drift, "_BELIEVED", timedelta(days=-1))
    assert re.fullmatch(r"compared [\d a-z]+ ago", reason(seen))


def test_a_comparison_that_was_written_by_others(seen: Seen) -> None:
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.up()
    drift.compare(seen.project, seen.place.label, open_target(seen.dsn), seen.migrations)
    (kept,) = (seen.project.records / "status").glob("drift-*.json")
    whole = kept.read_text("utf-8")
    for text in ("", "{}", "[]", whole.replace('"form": 1', '"form": 0'), whole[:40]):
        kept.write_text(text, "utf-8")
        assert reason(seen) == "not compared yet"
    kept.write_text(whole.replace('"differences": []', '"differences": [ ]'), "utf-8")
    assert seen.fact("drift").said == "none", "the layout is nobody's lie"
    execute(seen.dsn, "ALTER TABLE shop ADD by_hand int")
    drift.compare(seen.project, seen.place.label, open_target(seen.dsn), seen.migrations)
    value = json.loads(kept.read_text("utf-8"))
    kept.write_text(json.dumps({**value, "differences": []}), "utf-8")
    assert reason(seen) == "not compared yet", "differences that somebody took out"
    del value["seal"]
    sealed.write(kept, {**value, "database": "9"})
    assert reason(seen) == "what was compared is another database"


def test_what_could_not_be_compared_is_unknown_unless_something_differs(seen: Seen) -> None:
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.up()
    drift.compare(seen.project, seen.place.label, open_target(seen.dsn), seen.migrations)
    (kept,) = (seen.project.records / "status").glob("drift-*.json")
    sealed.write(kept, {**sealed.read(kept), "open": ["not compared: x"]})
    assert reason(seen) == "no difference in what could be compared; not compared: x"


def test_a_comparison_beside_a_runner_is_not_believed(seen: Seen) -> None:
    seen.migration(1, "CREATE TABLE shop (id int);")
    seen.up()
    with psycopg.connect(seen.dsn, autocommit=True) as runner:
        runner.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER)
        drift.compare(seen.project, seen.place.label, open_target(seen.dsn), seen.migrations)
    assert "a runner is at work" in reason(seen)
