"""A value that the table refuses in the middle of a backfill: named, and what came before can be undone."""

from __future__ import annotations

from support import ROOT
from support.bench import Bench
from support.databases import Database

TABLE = """
CREATE TABLE visits (id int PRIMARY KEY, code int, filled int);
INSERT INTO visits SELECT n, n % 39998, CASE WHEN n % 1000 = 0 THEN -n END
FROM generate_series(1, 40000) AS n;
CREATE UNIQUE INDEX visits_filled ON visits (filled);
"""
#: What no check of Preflight can see: what a trigger makes of a row.
GUARD = """
CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NEW.id = 39999 THEN RAISE EXCEPTION 'visit % is closed', NEW.id; END IF; RETURN NEW; END $$;
CREATE TRIGGER closed BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION closed();
"""
BEFORE = [(40, 39960)]
FILLED = "SELECT count(filled) FILTER (WHERE filled < 0), count(*) FILTER (WHERE filled IS NULL) FROM visits"


def test_what_was_filled_before_the_refusal_is_cleared(bench: Bench, gated: Database) -> None:
    gated.execute(TABLE + GUARD)
    assert gated.execute(FILLED) == BEFORE
    call = ("run", str(ROOT / "runbooks" / "backfill-in-batches.md"), "--yes", "--dsn", gated.dsn)
    values = ("--set=table=visits", "--set=column=filled", "--set=expression=id")
    ended = bench.call(*call, *values)
    assert (ended.status, "P0001" in ended.err) == (1, True), ended.err
    assert "closed of visits" in ended.out, "the trigger was told before"
    assert "visit 39999 is closed" in ended.out + ended.err
    (kept, empty) = gated.execute(FILLED)[0]
    assert (kept, 0 < empty < BEFORE[0][1]) == (40, True), "batches before it stay"
    ended = bench.call(*call, "--phase", "roll-back", *values)
    assert ended.status == 0, ended.err
    assert gated.execute(FILLED) == BEFORE


def test_a_check_that_refuses_it_changes_nothing(bench: Bench, gated: Database) -> None:
    gated.execute(f"{TABLE} ALTER TABLE visits ADD CONSTRAINT few CHECK (filled < 39990)")
    call = ("run", str(ROOT / "runbooks" / "backfill-in-batches.md"), "--yes", "--dsn", gated.dsn)
    ended = bench.call(*call, "--set=table=visits", "--set=column=filled", "--set=expression=code")
    assert (ended.status, "few of visits refuses" in ended.err) == (1, True), ended.err
    assert gated.execute(FILLED) == BEFORE


def test_a_unique_index_that_refuses_it_changes_nothing(bench: Bench, gated: Database) -> None:
    gated.execute(TABLE)
    call = ("run", str(ROOT / "runbooks" / "backfill-in-batches.md"), "--yes", "--dsn", gated.dsn)
    ended = bench.call(*call, "--set=table=visits", "--set=column=filled", "--set=expression=code")
    assert (ended.status, "visits_filled of visits refuses" in ended.err) == (1, True), ended.err
    assert gated.execute(FILLED) == BEFORE
