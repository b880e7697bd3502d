"""What takes a statement back, and what makes one form of a thing of another: text alone.

That the statements work is shown on servers, in ``tests/db/migration/drift/test_repairs.py``.
"""

from __future__ import annotations

import pytest

from pgrehearse.schema import Item, Schema
from pgrehearse.schema.repair import steps
from pgrehearse.schema.repair.changing import changed
from pgrehearse.schema.repair.outlines import clause, outline, within
from pgrehearse.schema.repair.undoing import loses, undone


@pytest.mark.parametrize(
    ("sql", "back"),
    [
        (
            'CREATE FUNCTION "A b"."F x"(a int DEFAULT f(1, 2), OUT b text) RETURNS text',
            'DROP FUNCTION "A b"."F x"(a int, OUT b text)',
        ),
        (
            "CREATE CAST (numeric(3,2) AS varchar(3)) WITHOUT FUNCTION",
            "DROP CAST (numeric(3,2) AS varchar(3))",
        ),
        ("COMMENT ON TABLE x IS 'a IS ''b'''", "COMMENT ON TABLE x IS NULL"),
        ('CREATE UNIQUE INDEX "I i" ON ONLY "S s".t USING btree (a)', 'DROP INDEX "S s"."I i"'),
        (
            "GRANT SELECT(a),UPDATE(b) ON TABLE x TO y WITH GRANT OPTION",
            "REVOKE SELECT(a),UPDATE(b) ON TABLE x FROM y",
        ),
        (
            "SET SESSION AUTHORIZATION w; GRANT SELECT ON TABLE x TO y",
            "SET SESSION AUTHORIZATION w; REVOKE SELECT ON TABLE x FROM y",
        ),
        (
            "ALTER TABLE ONLY x ALTER COLUMN a SET (n_distinct=5, x=1)",
            "ALTER TABLE ONLY x ALTER COLUMN a RESET (n_distinct, x)",
        ),
        ("ALTER ROLE r IN DATABASE d SET a.b TO 'c'", "ALTER ROLE r IN DATABASE d RESET a.b"),
        (
            'ALTER ROLE "r x" IN DATABASE :"DBNAME" SET a.b TO \'c\'',
            'ALTER ROLE "r x" IN DATABASE :"DBNAME" RESET a.b',
        ),
        ('ALTER ROLE "r x" CREATEDB', 'ALTER ROLE "r x" NOCREATEDB'),
        ('GRANT "a TO b" TO "c TO d" WITH ADMIN OPTION', 'REVOKE "a TO b" FROM "c TO d"'),
        ('REVOKE ALL ON TABLE "x FROM y" FROM PUBLIC', 'GRANT ALL ON TABLE "x FROM y" TO PUBLIC'),
        (
            'ALTER DEFAULT PRIVILEGES FOR ROLE "a b" GRANT SELECT ON TABLES TO "c d" WITH GRANT OPTION',
            'ALTER DEFAULT PRIVILEGES FOR ROLE "a b" REVOKE SELECT ON TABLES FROM "c d"',
        ),
        ("-- in a system schema: function of access method f", ""),
        ("VACUUM", ""),
    ],
)
def test_what_takes_a_statement_back(sql: str, back: str) -> None:
    assert undone(sql) == back


@pytest.mark.parametrize(
    ("sql", "is_lost"),
    [
        ("DROP TABLE a", True),
        ("ALTER TABLE a DROP COLUMN b", True),
        ("DROP SEQUENCE a", True),
        ("ALTER TABLE a DROP CONSTRAINT b", False),
        ("DROP INDEX a", False),
        ("DROP VIEW a", False),
    ],
)
def test_what_would_not_come_back(sql: str, is_lost: bool) -> None:
    assert bool(loses(sql)) == is_lost


_ADD = "ALTER TABLE t ADD COLUMN a "


@pytest.mark.parametrize(
    ("old", "new", "ways", "unsafe"),
    [
        (_ADD + "integer", _ADD + "bigint", "ALTER TABLE t ALTER COLUMN a TYPE bigint", False),
        (
            _ADD + "numeric(9,4)",
            _ADD + "numeric(9,2)",
            "ALTER TABLE t ALTER COLUMN a TYPE numeric(9,2)",
            True,
        ),
        (_ADD + "timestamp with time zone", _ADD + "date", "ALTER TABLE t ALTER COLUMN a TYPE date", True),
        (
            _ADD + "text DEFAULT ' NOT NULL'",
            _ADD + "text NOT NULL",
            "ALTER TABLE t ALTER COLUMN a DROP DEFAULT; ALTER TABLE t ALTER COLUMN a SET NOT NULL",
            False,
        ),
        (
            "CREATE TYPE e AS ENUM (\n    'a',\n    'c'\n)",
            "CREATE TYPE e AS ENUM (\n    'a',\n    'b',\n    'c'\n)",
            "ALTER TYPE e ADD VALUE 'b' BEFORE 'c'",
            False,
        ),
        (
            "CREATE TYPE e AS ENUM (\n    'a',\n    'b'\n)",
            "CREATE TYPE e AS ENUM (\n    'b',\n    'a'\n)",
            "",
            True,
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID",
            "ALTER TABLE t ADD CONSTRAINT c CHECK ((a > 0))",
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            False,
        ),
    ],
)
def test_from_one_form_to_another(old: str, new: str, ways: str, unsafe: bool) -> None:
    found, why = changed(old, new)
    assert (found[:1] or ("",))[0] == ways
    assert bool(why) == unsafe


def test_a_table_is_renamed_only_where_nothing_else_fits() -> None:
    def table(name: str) -> tuple[Item, ...]:
        about = f"table public.{name}"
        return (
            Item(about, "table", f"CREATE TABLE public.{name} ()"),
            Item(about, "column a", f"ALTER TABLE public.{name} ADD COLUMN a integer"),
        )

    def schema(*names: str) -> Schema:
        found = tuple(item for name in names for item in table(name))
        return Schema(tuple(sorted(found)), 18, dumped=found)

    (step,) = steps(schema("old"), schema("new"))
    assert step.ways == ("ALTER TABLE public.old RENAME TO new",)
    several = steps(schema("old", "older"), schema("new"))
    assert not any("RENAME" in way for one in several for way in one.ways)
    assert [one.ways for one in steps(schema("old"), schema("new"), renames=False)] == [
        ("DROP TABLE public.old",),
        ("CREATE TABLE public.new (\n    a integer\n)",),
    ]


def test_clauses_are_found_outside_of_quotes_and_parentheses() -> None:
    sql = "x text DEFAULT 'a NOT NULL ('::text CHECK ((b)) WITH (c='d, e', f=1)"
    assert len(outline(sql)) == len(sql)
    assert "NULL" not in outline(sql)
    assert clause(sql, "DEFAULT ", " CHECK") == "'a NOT NULL ('::text"
    assert within(sql, "WITH") == ["c='d, e'", "f=1"]


def test_a_role_that_is_a_member_of_another_is_no_member_of_an_extension() -> None:
    item = Item("role a", "member of b", "GRANT b TO a")
    without, with_it = Schema((), 18), Schema((item,), 18, dumped=(item,))
    (granted,), (taken,) = steps(without, with_it), steps(with_it, without)
    assert (granted.ways, taken.ways) == (("GRANT b TO a",), ("REVOKE b FROM a",))
