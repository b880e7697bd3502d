"""What a partition or a child has on a column by itself goes with the column of the parent."""

from __future__ import annotations

import psycopg
import pytest

from support.foreign import BACK, FORWARD, Foreign

DROP = {"table": "t", "column": "n", "type": "integer"}
PARENTS = {
    "partition": (
        "CREATE TABLE t (id int, n int, m int) PARTITION BY RANGE (id)",
        'CREATE TABLE "T 1" PARTITION OF t DEFAULT',
    ),
    "child": ("CREATE TABLE t (id int, n int, m int)", 'CREATE TABLE "T 1" () INHERITS (t)'),
}
#: What it has -> its name in the refusal.
OWN = {
    'CREATE INDEX i ON "T 1" (n, m)': "index i",
    'CREATE INDEX i ON "T 1" (m) WHERE n > 0': "index i",
    'CREATE UNIQUE INDEX i ON "T 1" (n)': "index i",
    'ALTER TABLE "T 1" ADD CONSTRAINT c CHECK (n < m)': "constraint c",
    'ALTER TABLE "T 1" ADD CONSTRAINT c UNIQUE (n)': "constraint c",
    'ALTER TABLE "T 1" ADD CONSTRAINT c PRIMARY KEY (m, n)': "constraint c",
    'ALTER TABLE "T 1" ADD CONSTRAINT c FOREIGN KEY (n) REFERENCES r': "constraint c",
    'ALTER TABLE "T 1" ALTER n SET NOT NULL': '"T 1"',
    'CREATE STATISTICS s ON n, m FROM "T 1"': "statistics object s",
    'CREATE VIEW v AS SELECT n FROM "T 1"': "view v",
    'CREATE TRIGGER x BEFORE UPDATE OF n ON "T 1" FOR EACH ROW EXECUTE FUNCTION f()': "trigger x",
    'CREATE POLICY p ON "T 1" USING (n > 0)': "policy p",
}
#: What the whole has, where Roll back could not make it again beside writers.
OF_ALL = {
    "CREATE INDEX i ON t (n)": "index i",
    "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (n) REFERENCES r": "constraint c",
}


@pytest.fixture
def foreign(foreign: Foreign) -> Foreign:
    foreign.has(
        "CREATE TABLE r (id int PRIMARY KEY)",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    )
    return foreign


@pytest.mark.parametrize("parent", PARENTS)
def test_what_a_part_has_by_itself_is_named_and_kept(foreign: Foreign, parent: str) -> None:
    for sql, name in OWN.items():
        foreign.has(*PARENTS[parent], sql)
        before = foreign.state()
        said = foreign.play("column-drop", FORWARD, DROP)
        assert name in said and '"T 1"' in said and "does not bring them back" in said
        assert not before.differences(foreign.state())
        foreign.has("DROP TABLE t CASCADE")


def test_a_partitioned_index_or_foreign_key_is_named_and_kept(foreign: Foreign) -> None:
    for sql, name in OF_ALL.items():
        foreign.has(*PARENTS["partition"], sql)
        before = foreign.state()
        said = foreign.play("column-drop", FORWARD, DROP)
        assert name in said and "does not bring them back" in said
        assert not before.differences(foreign.state())
        foreign.has("DROP TABLE t CASCADE")


@pytest.mark.parametrize("parent", PARENTS)
def test_what_belongs_to_the_parent_or_another_column_is_no_reason_to_stop(
    foreign: Foreign, parent: str
) -> None:
    foreign.has(
        *PARENTS[parent],
        "CREATE INDEX of_m ON t (m)",
        'CREATE INDEX own_m ON "T 1" (m)',
        "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0)",
        "ALTER TABLE t ADD CONSTRAINT d CHECK (m > 0)",
    )
    assert not foreign.play("column-drop", FORWARD, DROP)
    assert not foreign.play("column-drop", BACK, DROP)


def test_a_column_that_a_child_has_by_itself_stays_with_all_it_has(foreign: Foreign) -> None:
    foreign.has(
        "CREATE TABLE t (id int, n int, m int)",
        "CREATE TABLE own (n int)",
        "ALTER TABLE own ADD id int, ADD m int",
        "ALTER TABLE own INHERIT t",
        "CREATE INDEX i ON own (n, m)",
    )
    assert not foreign.play("column-drop", FORWARD, DROP)
    foreign.has("SELECT n FROM own", "DROP INDEX i")


def test_a_foreign_key_that_a_partition_has_by_itself_is_not_taken_by_that_of_the_whole(
    foreign: Foreign,
) -> None:
    """It would be merged, and Roll back would drop it. Before 18 partitioned tables are refused anyway."""
    foreign.has(
        *PARENTS["partition"],
        "CREATE INDEX ON t (n)",
        'ALTER TABLE "T 1" ADD CONSTRAINT "A k" FOREIGN KEY (n) REFERENCES r',
    )
    values = {"table": "t", "columns": "n", "target": "r", "target_columns": "id", "constraint": "k"}
    before = foreign.state()
    said = foreign.play("constraint-foreign-key", FORWARD, {**values, "comment": "c"})
    advice = 'ALTER TABLE "T 1" DROP CONSTRAINT "A k"'
    if foreign.server.major < 18:
        assert "partitioned" in said
        return
    assert advice in said
    assert not before.differences(foreign.state())
    foreign.has(advice)
    before = foreign.state()
    assert not foreign.play("constraint-foreign-key", FORWARD, {**values, "comment": "c"})
    assert not foreign.play("constraint-foreign-key", FORWARD, {**values, "comment": "c"})
    assert not foreign.play("constraint-foreign-key", BACK, {**values, "comment": "c"})
    assert not before.differences(foreign.state())


def test_a_value_that_is_the_default_of_a_partition_is_not_retired(foreign: Foreign) -> None:
    """Who writes into the partition by its name would fail with 23514."""
    foreign.has(
        "CREATE TYPE e AS ENUM ('a', 'b', 'c')",
        "CREATE TABLE t (id int PRIMARY KEY, e e DEFAULT 'a') PARTITION BY RANGE (id)",
        'CREATE TABLE "T 1" PARTITION OF t DEFAULT',
        """ALTER TABLE "T 1" ALTER e SET DEFAULT 'b'""",
    )
    values = {"table": "t", "column": "e", "label": "b", "replacement": "a", "constraint_name": "k"}
    before = foreign.state()
    assert "in a partition" in foreign.play("enum-retire-value", FORWARD, values)
    assert not before.differences(foreign.state())
    foreign.has("""ALTER TABLE "T 1" ALTER e SET DEFAULT 'c'""")
    assert not foreign.play("enum-retire-value", FORWARD, values)


#: What a part may have of its own on the column, where that of the parent has a default, a storage, a target.
PART = (
    'ALTER TABLE "T 1" ALTER n SET DEFAULT $$it\'s 100%$$',
    'ALTER TABLE "T 1" ALTER n DROP DEFAULT',
    'ALTER TABLE "T 1" ALTER n SET STATISTICS 33',
    'ALTER TABLE "T 1" ALTER n SET STATISTICS -1',
    'ALTER TABLE "T 1" ALTER n SET STORAGE MAIN',
    'ALTER TABLE "T 1" ALTER n SET STORAGE EXTENDED',
    'ALTER TABLE "T 1" ALTER n SET COMPRESSION pglz',
    'ALTER TABLE "T 1" ALTER n SET (n_distinct = 5, n_distinct_inherited = 7)',
    """COMMENT ON COLUMN "T 1".n IS 'it''s 100%'""",
    'GRANT SELECT (n), UPDATE (n) ON "T 1" TO PUBLIC',
    'GRANT REFERENCES (n) ON "T 1" TO pg_monitor WITH GRANT OPTION',
)
WHOLE = (
    "CREATE TABLE t (id int, n text DEFAULT 'all'){}",
    "ALTER TABLE t ALTER n SET STORAGE EXTERNAL, ALTER n SET STATISTICS 77, ALTER n SET (n_distinct = 3)",
    "COMMENT ON COLUMN t.n IS 'all'",
)
KINDS = {
    "partition": (" PARTITION BY RANGE (id)", 'CREATE TABLE "T 1" PARTITION OF t DEFAULT'),
    "child": ("", 'CREATE TABLE "T 1" () INHERITS (t)'),
}
TEXT = {**DROP, "type": "text"}


def of_a_kind(kind: str) -> tuple[str, ...]:
    end, part = KINDS[kind]
    table, *more = WHOLE
    return table.format(end), part, *more


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_part_has_on_the_column_comes_back_with_it(foreign: Foreign, kind: str) -> None:
    for own in (*PART, "; ".join(PART)):
        foreign.has(*of_a_kind(kind), own)
        before = foreign.state()
        assert not foreign.play("column-drop", FORWARD, TEXT)
        assert before.differences(foreign.state())
        assert not foreign.play("column-drop", BACK, TEXT)
        assert not before.differences(foreign.state()), own
        foreign.has("DROP TABLE t CASCADE")


@pytest.mark.parametrize(
    "meanwhile",
    ['ALTER TABLE t DETACH PARTITION "T 1"', 'DROP TABLE "T 1"', 'ALTER TABLE "T 1" RENAME TO "T;2"'],
)
def test_a_part_may_be_gone_or_renamed_when_the_column_comes_back(foreign: Foreign, meanwhile: str) -> None:
    foreign.has(*of_a_kind("partition"), "; ".join(PART))
    assert not foreign.play("column-drop", FORWARD, TEXT)
    foreign.has(meanwhile)
    assert not foreign.play("column-drop", BACK, TEXT)
    if "RENAME" in meanwhile:
        with psycopg.connect(foreign.conninfo) as session:
            said = session.execute("SELECT col_description('\"T;2\"'::regclass, 3)").fetchone()
        assert said == ("it's 100%",)


def test_what_is_said_and_set_beside_a_column_comes_back_with_it(foreign: Foreign) -> None:
    foreign.has(
        "CREATE TABLE t (id int, n int)",
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (n)",
        "COMMENT ON CONSTRAINT u ON t IS 'it''s u'",
        "COMMENT ON INDEX u IS 'it''s the index'",
        "CREATE INDEX i ON t ((n * 2), (n + 1))",
        "ALTER INDEX i ALTER COLUMN 2 SET STATISTICS 55, ALTER COLUMN 1 SET STATISTICS 0",
        "CREATE STATISTICS s ON (n + 3), (n * 5) FROM t",
        "ALTER STATISTICS s SET STATISTICS 66",
        "COMMENT ON STATISTICS s IS 'it''s s'",
    )
    before = foreign.state()
    assert not foreign.play("column-drop", FORWARD, DROP)
    assert not foreign.play("column-drop", BACK, DROP)
    assert not before.differences(foreign.state())
