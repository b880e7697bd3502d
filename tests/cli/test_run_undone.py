"""A run that goes on where somebody undid an earlier step, and is stopped again before the end."""

from __future__ import annotations

from support.bench import Bench
from support.databases import Database
from support.runs import generating, note, open_gate, run

#: PostgreSQL allows no transaction around it, so the ledger says that it was begun, and not how it ended.
COMMITS = """
CREATE PROCEDURE commits() LANGUAGE plpgsql AS
'BEGIN COMMIT; PERFORM 1 / (SELECT count(*) FROM gate); END'
"""
MAKES = "SELECT 'CREATE TABLE made ()' WHERE to_regclass('made') IS NULL\n\\gexec"
HELPER = "CREATE FUNCTION pg_temp.helper() RETURNS int LANGUAGE sql AS 'SELECT 1';"
USED = "INSERT INTO trace (note) SELECT pg_temp.helper()::text;"


def test_it_goes_on_after_each_stop(bench: Bench, gated: Database) -> None:
    """What was done again comes before the helper in the session, and says nothing about it."""
    gated.execute(COMMITS)
    bench.runbook([MAKES, HELPER, "CALL commits();", USED])
    assert run(bench, gated)[0] == 1
    gated.execute("DROP TABLE made")
    for _ in range(2):
        status, _, err = run(bench, gated)
        assert (status, "division by zero" in err) == (1, True), err
    open_gate(gated)
    status, _, err = run(bench, gated)
    assert status == 0, err
    assert gated.trace() == ["1"]


def test_a_helper_that_cannot_be_made_again_is_missed_still(bench: Bench, gated: Database) -> None:
    """The negative control: the session is compared with that of the helper."""
    gated.execute(COMMITS)
    gated.execute("CREATE TABLE present (yes boolean); INSERT INTO present VALUES (true)")
    unseen = f"DO $$BEGIN IF (SELECT yes FROM present) THEN {HELPER} END IF; END$$;"
    bench.runbook([MAKES, f"{HELPER.replace('helper', 'other')}\n{unseen}", "CALL commits();"])
    assert run(bench, gated)[0] == 1
    gated.execute("DROP TABLE made; UPDATE present SET yes = false")
    status, _, err = run(bench, gated)
    assert (status, "PGR01" in err) == (1, True), err
    open_gate(gated)
    status, _, err = run(bench, gated)
    assert (status, "PGR01" in err) == (1, True), err


def test_no_comment_is_not_taken_for_undone(bench: Bench, gated: Database) -> None:
    gated.execute(COMMITS)
    bench.runbook([generating("COMMENT ON TABLE trace IS NULL") + f"\n{note('once')}", "CALL commits();"])
    assert run(bench, gated)[0] == 1
    open_gate(gated)
    status, out, err = run(bench, gated)
    assert (status, "undone since" in out) == (0, False), err
    assert gated.trace() == ["once"]
