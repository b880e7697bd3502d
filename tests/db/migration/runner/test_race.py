"""Two runners that start at once. What becomes of one that is killed: tests/faults."""

from __future__ import annotations

import pytest

from pgrehearse.errors import SetupError
from support.places import Place
from support.waiting import LIMIT

ROWS = 6000

#: ``touched`` counts how often a row was changed; ``ran`` how often a statement was.
FILES = {
    1: f"""
CREATE TABLE ran (what text);
CREATE TABLE item (id int PRIMARY KEY, n int, touched int NOT NULL DEFAULT 0);
INSERT INTO item (id) SELECT generate_series(1, {ROWS});
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN new.touched := old.touched + 1; RETURN new; END';
CREATE TRIGGER touch BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN PERFORM sum(i) FROM generate_series(1, 400) AS i; RETURN $1; END';
INSERT INTO ran VALUES ('1');
""",
    2: "transaction:false\nCREATE INDEX CONCURRENTLY item_slow ON item (slow(id));",
    3: f"""transaction:false
INSERT INTO ran VALUES ('3 before');
DO $$
BEGIN
    FOR low IN 0..{ROWS - 1} BY 200 LOOP
        UPDATE item SET n = slow(id) WHERE n IS NULL AND id > low AND id <= low + 200;
        COMMIT;
    END LOOP;
END $$;
INSERT INTO ran VALUES ('3 after');
""",
    4: "ALTER TABLE item ALTER n SET NOT NULL;\nINSERT INTO ran VALUES ('4');",
    5: "transaction:false\nREINDEX INDEX CONCURRENTLY item_slow;",
    6: "transaction:false\nDROP INDEX CONCURRENTLY item_slow;",
    7: """transaction:false
CREATE UNIQUE INDEX CONCURRENTLY item_n ON item (slow(n));
INSERT INTO ran VALUES ('7');
""",
}


def write(place: Place) -> None:
    for version, text in FILES.items():
        place.write(version, text)


def assert_true(place: Place) -> None:
    """Applied once each, the ledger says so, and nothing is INVALID."""
    assert place.applied() == [str(version) for version in FILES]
    assert place.execute("SELECT what, count(*) FROM ran GROUP BY what ORDER BY what") == [
        (what, 1) for what in ("1", "3 after", "3 before", "4", "7")
    ]
    assert place.execute("SELECT DISTINCT touched, n = id FROM item") == [(1, True)]
    assert place.invalid() == []
    indexes = "SELECT relname FROM pg_class WHERE relname ~ '^item_' AND relkind = 'i' ORDER BY 1"
    assert place.execute(indexes) == [("item_n",), ("item_pkey",)]
    done = [attempt for attempt in place.attempts() if attempt.outcome == "done"]
    assert [attempt.version for attempt in done] == [str(version) for version in FILES]
    for attempt in done:
        assert {cost.outcome for cost in attempt.statements} == {"done"}
        assert attempt.finished is not None
    assert {a.outcome for a in place.attempts()} <= {"done", "interrupted"}
    assert place.one("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0


@pytest.mark.parametrize("patience", [[], ["--wait", "0"]], ids=["waits", "leaves"])
def test_of_two_runners_one_works_and_the_other_waits_or_leaves(place: Place, patience: list[str]) -> None:
    write(place)
    first = place.start("up", *patience)
    second = place.start("up", *patience)
    (out1, err1), (out2, err2) = first.communicate(timeout=LIMIT), second.communicate(timeout=LIMIT)
    print(f"{first.returncode} and {second.returncode}\n{err1}{err2}")
    statuses = sorted((first.returncode, second.returncode))
    assert statuses[0] == 0 and statuses[1] in (0, SetupError.exit_code)
    if statuses[1]:
        assert patience and "another runner is at work: pid" in err1 + err2
    elif not patience:
        assert "nothing to apply" in out1 + out2
    assert (out1 + out2).count("applied 1_step") == 1
    assert_true(place)
