"""A platform whose event trigger refuses DROP TABLE and DROP VIEW: Roll back stops, and loses nothing."""

from __future__ import annotations

import pytest

from support.foreign import BACK, FORWARD, Foreign, Values

TABLE = {"table": 's."T b"'}
RUNBOOKS: dict[str, Values] = {
    "column-rename": {**TABLE, "column": "n", "new_name": "N w"},
    "table-rename": {**TABLE, "new_name": "T w"},
    "enum-retire-value": {
        **TABLE,
        "column": "e",
        "label": "bad",
        "replacement": "good",
        "constraint_name": "k",
    },
    "enum-to-lookup-table": {**TABLE, "column": "e", "lookup": "moods"},
}


@pytest.fixture
def foreign(foreign: Foreign) -> Foreign:
    foreign.has(
        "CREATE SCHEMA s",
        "CREATE TYPE s.mood AS ENUM ('good', 'bad')",
        "CREATE TABLE s.\"T b\" (id int PRIMARY KEY, n int DEFAULT 1, e s.mood DEFAULT 'good')",
        """INSERT INTO s."T b" SELECT number, number, 'bad' FROM generate_series(1, 9) AS number""",
    )
    return foreign


@pytest.mark.parametrize("runbook", RUNBOOKS)
def test_roll_back_goes_on_when_it_may_drop_again(foreign: Foreign, runbook: str) -> None:
    before = foreign.state()
    foreign.as_superuser(
        "CREATE FUNCTION refuses() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects()"
        "            WHERE object_type IN ('table', 'view') AND NOT is_temporary) THEN"
        " RAISE EXCEPTION 'ask the platform'; END IF; END $$",
        "CREATE EVENT TRIGGER refuses ON sql_drop EXECUTE FUNCTION refuses()",
    )
    assert not foreign.play(runbook, FORWARD, RUNBOOKS[runbook])
    assert "ask the platform" in foreign.play(runbook, BACK, RUNBOOKS[runbook])
    foreign.has("""UPDATE s."T b" SET n = n + 1 WHERE id = 3""", """INSERT INTO s."T b" (id) VALUES (100)""")
    foreign.as_superuser("DROP EVENT TRIGGER refuses", "DROP FUNCTION refuses")
    assert not foreign.play(runbook, BACK, RUNBOOKS[runbook])
    foreign.has("""UPDATE s."T b" SET n = n - 1 WHERE id = 3""", """DELETE FROM s."T b" WHERE id = 100""")
    assert not before.differences(foreign.state())
