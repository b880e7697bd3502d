"""A refusal names what is in the way, and what it is given is called what it is. Nothing is changed."""

from __future__ import annotations

import psycopg
import pytest

from support.foreign import BACK, FORWARD, Foreign, Values

TABLE = (
    "CREATE TABLE t (id int PRIMARY KEY, n int, d int, s text)",
    "INSERT INTO t (id, n, s) SELECT n, n, 'a; b' FROM generate_series(1, 9) AS n",
    "CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
)
CHANGE: Values = {
    "table": "t",
    "column": "n",
    "type": "bigint",
    "to_new": "value::bigint",
    "to_old": "value::integer",
    "twins": "",
}
SPLIT: Values = {
    "table": "t",
    "column": "s",
    "first": "f",
    "first_type": "text",
    "first_value": "split_part(value, '; ', 1)",
    "second": "g",
    "second_type": "text",
    "second_value": "split_part(value, '; ', 2)",
    "joined": "first || '; ' || second",
}
FILL: Values = {"table": "t", "column": "d", "expression": "n"}
RETIRE: Values = {"table": "e", "column": "s", "label": "b", "replacement": "a", "constraint_name": "no_b"}
KEY: Values = {"table": "t", "column": "id"}
PRIMARY: Values = {"table": "t", "constraint": "k", "columns": "n", "comment": "c"}
LATE = 'CREATE TRIGGER "zz~ late" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION same()'
ENUM = (
    "CREATE TYPE mood AS ENUM ('a', 'b')",
    "CREATE TABLE e (id int PRIMARY KEY, s mood) PARTITION BY RANGE (id)",
    "CREATE TABLE e1 PARTITION OF e DEFAULT",
    "INSERT INTO e VALUES (1, 'a'), (2, 'b')",
    "CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
)
PARTITIONS = (
    "CREATE TABLE t (id int, n int, d int, s text) PARTITION BY RANGE (id)",
    "CREATE TABLE t1 PARTITION OF t DEFAULT",
    "INSERT INTO t (id, n) VALUES (1, 1)",
    "CREATE FUNCTION same() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
)
FOR_STATEMENTS = "CREATE TRIGGER sums AFTER UPDATE{} ON {} FOR EACH STATEMENT EXECUTE FUNCTION same()"


@pytest.mark.parametrize(
    ("runbook", "values", "statements", "words"),
    [
        ("column-change-type", CHANGE, (*TABLE, LATE), 'comes before zz_: "zz~ late"'),
        ("column-split", SPLIT, (*TABLE, LATE), 'comes before zz_: "zz~ late"'),
        ("key-bigint", KEY, (*TABLE, LATE), 'comes before zz_: "zz~ late" of t'),
        (
            "column-change-type",
            CHANGE,
            (
                *TABLE,
                "ALTER TABLE t ADD UNIQUE (n)",
                "CREATE TABLE far (n int CONSTRAINT its_own REFERENCES t (n))",
            ),
            "uses the column: its_own of far",
        ),
        (
            "column-change-type",
            CHANGE,
            (*TABLE, "CREATE INDEX here ON t (n)", "CLUSTER t USING here"),
            "the table is clustered on it: here",
        ),
        (
            "backfill-in-batches",
            FILL,
            (*TABLE, "CREATE RULE r AS ON UPDATE TO t DO ALSO SELECT 1"),
            ": r of t",
        ),
        (
            "backfill-in-batches",
            FILL,
            (*PARTITIONS, "CREATE RULE r AS ON UPDATE TO t1 DO ALSO SELECT 1"),
            ": r of t1",
        ),
        (
            "backfill-in-batches",
            FILL,
            (*PARTITIONS, FOR_STATEMENTS.format("", "t")),
            "unseen: what these triggers",
        ),
        (
            "backfill-in-batches",
            FILL,
            (*PARTITIONS, FOR_STATEMENTS.format(" OF d", "t")),
            "do not fire: sums of t",
        ),
        (
            "backfill-in-batches",
            {**FILL, "table": "t1"},
            (*PARTITIONS, FOR_STATEMENTS.format("", "t")),
            "do not fire: sums of t",
        ),
        ("enum-retire-value", RETIRE, (*ENUM, FOR_STATEMENTS.format("", "e")), "unseen: what these triggers"),
        (
            "enum-retire-value",
            RETIRE,
            (*ENUM, "CREATE RULE r AS ON UPDATE TO e1 DO ALSO SELECT 1"),
            ": r of e1",
        ),
        (
            "enum-retire-value",
            RETIRE,
            (*ENUM, "ALTER TABLE e ADD UNIQUE (id, s)"),
            "could break it: e_id_s_key",
        ),
        (
            "constraint-primary-key",
            PRIMARY,
            (
                *TABLE,
                "CREATE TABLE l (day date, t_id int REFERENCES t) PARTITION BY RANGE (day)",
                "CREATE TABLE l1 PARTITION OF l DEFAULT",
            ),
            "use the present primary key: l_t_id_fkey of l\n",
        ),
        (
            "key-bigint",
            KEY,
            (
                "CREATE TABLE t (id int NOT NULL, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
                *(
                    f"CREATE TABLE t{n} PARTITION OF t FOR VALUES FROM ('2026-01-{n}') TO ('2026-01-{n + 1}')"
                    for n in range(10, 22)
                ),
                *(f"GRANT SELECT (id) ON t{n} TO PUBLIC" for n in range(10, 22)),
            ),
            "(12): t10.id, t11.id, t12.id, t13.id, t14.id, t15.id, t16.id, t17.id, t18.id and more",
        ),
    ],
)
def test_what_is_in_the_way_has_its_name(
    foreign: Foreign, runbook: str, values: Values, statements: tuple[str, ...], words: str
) -> None:
    foreign.has(*statements)
    before = foreign.state()
    said = foreign.play(runbook, FORWARD, values)
    assert words in said, said
    assert before.differences(foreign.state()) == []


@pytest.mark.parametrize(
    "trigger",
    [
        FOR_STATEMENTS.format(" OF n", "t"),
        FOR_STATEMENTS.format("", "t1"),
        FOR_STATEMENTS.format("", "t").replace("UPDATE", "INSERT"),
        FOR_STATEMENTS.format("", "t").replace("STATEMENT", "ROW"),
    ],
)
def test_a_trigger_that_fires_or_that_nobody_misses_is_not_told(foreign: Foreign, trigger: str) -> None:
    foreign.has(*PARTITIONS, trigger)
    assert foreign.play("backfill-in-batches", FORWARD, FILL) == ""


def test_a_trigger_of_statements_on_a_plain_table_fires(foreign: Foreign) -> None:
    foreign.has(*TABLE, FOR_STATEMENTS.format("", "t"))
    assert foreign.play("backfill-in-batches", FORWARD, FILL) == ""


@pytest.mark.parametrize(
    "runbook", ["constraint-not-null", "column-change-type", "column-split", "key-bigint"]
)
@pytest.mark.parametrize(
    ("table", "words"),
    [("v", "not a table"), ("t_pkey", "not a table"), ("absent", "there is no such table")],
)
def test_what_is_no_table_is_not_said_to_be_missing(
    foreign: Foreign, runbook: str, table: str, words: str
) -> None:
    foreign.has(*TABLE, "CREATE VIEW v AS SELECT * FROM t")
    values = {"column-change-type": CHANGE, "column-split": SPLIT}.get(runbook, KEY)
    said = foreign.play(runbook, FORWARD, {**values, "table": table})
    assert words in said, said


@pytest.mark.parametrize("runbook", ["index-create", "index-replace"])
def test_rows_that_a_not_null_lets_stand_are_indexed(foreign: Foreign, runbook: str) -> None:
    """The index is tried on a temporary table with some of the rows: NOT VALID there too."""
    if foreign.server.major < 18:
        pytest.skip("before 18 NOT NULL cannot be NOT VALID")
    foreign.has(*TABLE, "ALTER TABLE t ADD NOT NULL d NOT VALID", "CREATE INDEX i ON t (n)")
    values = {"table": "t", "index": "i" if runbook == "index-replace" else "j", "columns": "n, d"}
    comment = {"comment": "c"} if runbook == "index-create" else {}
    assert foreign.play(runbook, FORWARD, {**values, **comment}) == ""


def test_a_not_null_that_is_not_valid_has_its_name(foreign: Foreign) -> None:
    if foreign.server.major < 18:
        pytest.skip("before 18 NOT NULL cannot be NOT VALID")
    foreign.has(*TABLE, "ALTER TABLE t ADD CONSTRAINT unproven NOT NULL n NOT VALID")
    said = foreign.play("constraint-not-null", FORWARD, {"table": "t", "column": "n"})
    assert "VALIDATE CONSTRAINT unproven" in said
    said = foreign.play("column-change-type", FORWARD, CHANGE)
    assert "ALTER TABLE t VALIDATE CONSTRAINT unproven" in said


GUARD = (
    "CREATE OR REPLACE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW; END $$"
)
GUARDED = "CREATE TRIGGER guarded {} ON t FOR EACH ROW EXECUTE FUNCTION guard()"
CLOSED = "IF OLD.id = 5 THEN {}; END IF;"


@pytest.mark.parametrize(
    ("runbook", "values"),
    [
        ("backfill-in-batches", FILL),
        ("column-change-type", CHANGE),
        ("column-split", SPLIT),
        ("key-bigint", KEY),
    ],
)
@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("BEFORE UPDATE", "RAISE EXCEPTION 'closed'"),
        ("AFTER UPDATE", "RAISE 'closed'"),
        ("BEFORE UPDATE", "RETURN NULL"),
    ],
)
def test_a_trigger_that_may_refuse_a_row_is_told(
    foreign: Foreign, runbook: str, values: Values, event: str, body: str
) -> None:
    """A closed row stays as it is: the walk would stop at it, which nobody sees before it is tried."""
    foreign.has(*TABLE, GUARD.format(CLOSED.format(body)), GUARDED.format(event))
    before = foreign.state()
    said = foreign.play(runbook, FORWARD, values)
    assert "unseen: whether these triggers let the walk write each row" in said, said
    assert "guarded of t" in said
    assert before.differences(foreign.state()) == []


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("BEFORE UPDATE", "RAISE NOTICE 'seen'"),
        ("BEFORE UPDATE OF s", "RAISE EXCEPTION 'closed'"),
        ("BEFORE INSERT", "RAISE EXCEPTION 'closed'"),
        ("AFTER UPDATE", "RETURN NULL"),
    ],
)
def test_a_trigger_that_lets_each_row_through_is_not_told(foreign: Foreign, event: str, body: str) -> None:
    foreign.has(*TABLE, GUARD.format(body + ";"), GUARDED.format(event))
    assert foreign.play("backfill-in-batches", FORWARD, FILL) == ""


def test_triggers_of_tables_that_reference_the_key_are_told(foreign: Foreign) -> None:
    foreign.has(
        *TABLE,
        "CREATE TABLE r (t_id int REFERENCES t)",
        GUARD.format("RAISE EXCEPTION 'closed';"),
        GUARDED.format("BEFORE UPDATE").replace(" ON t ", " ON r "),
    )
    said = foreign.play("key-bigint", FORWARD, KEY)
    assert "guarded of r" in said


@pytest.mark.parametrize("name", ["batch_time", "pause", "max_lag"])
@pytest.mark.parametrize(("runbook", "values"), [("backfill-in-batches", FILL), ("key-bigint", KEY)])
def test_a_pace_that_is_no_number_changes_nothing(
    foreign: Foreign, runbook: str, values: Values, name: str
) -> None:
    foreign.has(*TABLE)
    before = foreign.state()
    assert f"stop: {name} is a number of seconds" in foreign.play(runbook, FORWARD, {**values, name: "soon"})
    assert before.differences(foreign.state()) == []


@pytest.mark.parametrize(
    ("runbook", "values"), [("column-change-type", CHANGE), ("column-split", SPLIT), ("key-bigint", KEY)]
)
def test_the_triggers_of_a_runbook_itself_are_not_told(
    foreign: Foreign, runbook: str, values: Values
) -> None:
    """Asked again in the middle, as after a run that was stopped."""
    foreign.has(*TABLE)
    assert foreign.play(runbook, ("Preflight",), values) == ""
    triggers = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"
    with psycopg.connect(foreign.conninfo, autocommit=True) as look:

        def stop(number: int) -> None:
            if look.execute(triggers).fetchone() != (0,):
                raise InterruptedError(number)

        with pytest.raises(InterruptedError):
            foreign.play(runbook, ("Apply",), values, after_cell=stop)
    assert foreign.play(runbook, ("Preflight",), values) == ""


@pytest.mark.parametrize("expression", ["t.n", "(SELECT max(o.n) FROM t AS o WHERE o.id = t.id)", "t.n + n"])
def test_an_expression_may_name_the_table(foreign: Foreign, expression: str) -> None:
    foreign.has(*TABLE)
    before = foreign.state()
    assert foreign.play("backfill-in-batches", FORWARD, {**FILL, "expression": expression}) == ""
    with psycopg.connect(foreign.conninfo) as look:
        assert look.execute("SELECT bool_and(d >= n) FROM t").fetchone() == (True,)
    if "SELECT" not in expression:  # of a query nobody knows whether it gives the same next time
        assert foreign.play("backfill-in-batches", BACK, {**FILL, "expression": expression}) == ""
        assert before.differences(foreign.state()) == []
