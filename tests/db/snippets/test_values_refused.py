"""What an UPDATE of every row would refuse is told before; what it would take is not refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from pgrehearse.servers import Server, start
from support.majors import TEST_MAJOR

SNIPPET = (Path(__file__).parents[3] / "snippets" / "sql" / "values-refused.sql").read_text("utf-8")
TABLE = """
DROP SCHEMA IF EXISTS a CASCADE; DROP SCHEMA IF EXISTS b CASCADE; CREATE SCHEMA a; CREATE SCHEMA b;
CREATE DOMAIN a.even AS int CHECK (VALUE % 2 = 0); CREATE DOMAIN a.short AS varchar(3);
CREATE DOMAIN a.shorts AS varchar(3)[]; CREATE DOMAIN a.shorter AS a.short;
CREATE TYPE a.made AS (text varchar(3), number numeric);
CREATE COLLATION a."no case %" FROM "C";
CREATE TABLE a.far AS SELECT n AS id FROM generate_series(1, 9) AS n; ALTER TABLE a.far ADD PRIMARY KEY (id);
CREATE TABLE a.pair AS SELECT id, id AS other FROM a.far; ALTER TABLE a.pair ADD PRIMARY KEY (id, other);
CREATE TABLE a.parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE a.low PARTITION OF a.parts FOR VALUES FROM (0) TO (5);
CREATE TABLE a.high PARTITION OF a.parts DEFAULT;
INSERT INTO a.parts SELECT id FROM a.far;
CREATE TABLE a."it %" (id int, gone int, n int, blank int, "c %" {type});
ALTER TABLE a."it %" DROP COLUMN gone;
CREATE SEQUENCE a.numbers;
"""
MADE = 'GENERATED ALWAYS AS ("c %" * 2) STORED'
ROWS = """INSERT INTO a."it %" (id, n) SELECT n, n * 100 FROM generate_series(1, 9) AS n"""


class Case(NamedTuple):
    type: str
    more: str
    expression: str
    #: What the answer begins with, and what PostgreSQL says to the UPDATE.
    answer: str
    refused: str = ""


STOP = "stop: "
CASES = {
    "a CHECK": Case("int", 'ALTER TABLE a."it %" ADD CONSTRAINT r CHECK ("c %" < 900)', "n", STOP, "23514"),
    "a CHECK that is kept": Case("int", 'ALTER TABLE a."it %" ADD CHECK ("c %" < 901)', "n", "ok"),
    "a CHECK of two columns": Case(
        "int", 'ALTER TABLE a."it %" ADD CHECK (n + "c %" < 1800)', "n", STOP, "23514"
    ),
    "a CHECK of the whole row": Case(
        "int", 'ALTER TABLE a."it %" ADD CHECK ("it %".* IS NULL OR "c %" < 9)', "n", STOP, "23514"
    ),
    "a CHECK of a generated column": Case(
        "int", f'ALTER TABLE a."it %" ADD g int {MADE} CHECK (g < 1800)', "n", STOP, "23514"
    ),
    "a generated column as it will be": Case(
        "int", f'ALTER TABLE a."it %" ADD g int {MADE} CHECK (g < 1801)', "n", "ok"
    ),
    "a CHECK of a child": Case(
        "int",
        'CREATE TABLE b.k (CHECK ("c %" < 5)) INHERITS (a."it %"); INSERT INTO b.k (n) VALUES (5)',
        "n",
        STOP,
        "23514",
    ),
    "a domain": Case("a.even", "", "id", STOP, "23514"),
    "a domain that takes it": Case("a.even", "", "n", "ok"),
    "a length": Case("varchar(3)", "", "n || 'x'", STOP, "22001"),
    "a length with blanks behind": Case("varchar(3)", "", "id || '     '", "ok"),
    "a length that is kept": Case("char(4)", "", "n", "ok"),
    "a length of a domain": Case("a.short", "", "n || 'x'", STOP, "22001"),
    "a length of bits": Case("bit(3)", "", "B'11'", STOP, "22026"),
    "a length that nobody set": Case("name", "", "repeat('x', 70)", "ok"),
    "a length in an array": Case("varchar(3)[]", "", "ARRAY[n || 'x']", STOP, "22001"),
    "a length in an array, with blanks behind": Case("varchar(3)[]", "", "ARRAY[id || '     ']", "ok"),
    "a length in an array that is kept": Case("varchar(4)[][]", "", "ARRAY[ARRAY[n || 'x']]", "ok"),
    "a length in an array of a domain": Case("a.short[]", "", "ARRAY[n || 'x']", STOP, "22001"),
    "a length in a domain of an array": Case("a.shorts", "", "ARRAY[n || 'x']", STOP, "22001"),
    "a length of a domain of a domain": Case("a.shorter", "", "n || 'x'", STOP, "22001"),
    "a length of bits in an array": Case("bit(3)[]", "", "ARRAY[B'11']", STOP, "22026"),
    "an array without a length": Case("text[]", "", "ARRAY[n || 'x']", "ok"),
    "a length in a composite type": Case("a.made", "", "ROW(n || 'x', n)", STOP, "22001"),
    "a length in a composite type that is kept": Case("a.made", "", "ROW(id, n)", "ok"),
    "digits": Case("numeric(4, 2)", "", "n", STOP, "22003"),
    "a row that it fails on": Case("int", "", "n / (id - 9)", STOP, "22012"),
    "a row that it leaves out": Case("int", "", "n / nullif(id - 9, 0)", "ok"),
    "a literal": Case("text", "", "'x'", "ok"),
    "a unique index": Case("int", 'CREATE UNIQUE INDEX ON a."it %" ("c %")', "n / 500", STOP, "23505"),
    "a unique index that is kept": Case("int", 'CREATE UNIQUE INDEX ON a."it %" ("c %")', "n", "ok"),
    "a unique index of two columns": Case("int", 'ALTER TABLE a."it %" ADD UNIQUE (id, "c %")', "1", "ok"),
    "a unique index, and NULL twice": Case(
        "int", 'CREATE UNIQUE INDEX ON a."it %" ("c %")', "nullif(n, 100) / nullif(id - 1, 1)", "ok"
    ),
    "a unique index where NULL counts": Case(
        "int",
        'CREATE UNIQUE INDEX ON a."it %" ((CASE WHEN "c %" IS NULL THEN n END)) NULLS NOT DISTINCT',
        "1",
        STOP,
        "23505",
    ),
    "a unique index of an expression": Case(
        "int", 'CREATE UNIQUE INDEX ON a."it %" (("c %" % 700))', "n", STOP, "23505"
    ),
    "a unique index of some rows": Case(
        "int", 'CREATE UNIQUE INDEX ON a."it %" (blank) WHERE "c %" > 800', "n", "ok"
    ),
    "a unique index of some rows, and more of them": Case(
        "int", 'CREATE UNIQUE INDEX ON a."it %" ((0)) WHERE "c %" > 700', "n", STOP, "23505"
    ),
    "a unique index of a generated column": Case(
        "int", f'ALTER TABLE a."it %" ADD h int {MADE} UNIQUE', "n / 500", STOP, "23505"
    ),
    "a unique index under a collation": Case(
        "text",
        """CREATE UNIQUE INDEX ON a."it %" ("c %" COLLATE a."no case %")""",
        "'%' || n / 500",
        STOP,
        "23505",
    ),
    "a deferred key": Case(
        "int",
        'ALTER TABLE a."it %" ADD UNIQUE ("c %") DEFERRABLE INITIALLY DEFERRED',
        "n / 500",
        STOP,
        "23505",
    ),
    "an index that is not unique": Case("int", 'CREATE INDEX ON a."it %" ("c %")', "1", "ok"),
    "a foreign key": Case(
        "int", 'ALTER TABLE a."it %" ADD FOREIGN KEY ("c %") REFERENCES a.far', "n", STOP, "23503"
    ),
    "a foreign key that is kept": Case(
        "int", 'ALTER TABLE a."it %" ADD FOREIGN KEY ("c %") REFERENCES a.far', "id", "ok"
    ),
    "a foreign key NOT VALID": Case(
        "int", 'ALTER TABLE a."it %" ADD FOREIGN KEY ("c %") REFERENCES a.far NOT VALID', "n", STOP, "23503"
    ),
    "a foreign key of two columns": Case(
        "int", 'ALTER TABLE a."it %" ADD FOREIGN KEY (id, "c %") REFERENCES a.pair', "id + 1", STOP, "23503"
    ),
    "a foreign key of two columns, one NULL": Case(
        "int", 'ALTER TABLE a."it %" ADD FOREIGN KEY (blank, "c %") REFERENCES a.pair', "id", "ok"
    ),
    "a foreign key MATCH FULL, one NULL": Case(
        "int",
        'ALTER TABLE a."it %" ADD FOREIGN KEY (blank, "c %") REFERENCES a.pair MATCH FULL',
        "id",
        STOP,
        "23503",
    ),
    "a foreign key to a partitioned table": Case(
        "int", 'ALTER TABLE a."it %" ADD FOREIGN KEY ("c %") REFERENCES a.parts', "id", "ok"
    ),
    "a foreign key to a partitioned table, beyond it": Case(
        "int", 'ALTER TABLE a."it %" ADD FOREIGN KEY ("c %") REFERENCES a.parts', "id + 1", STOP, "23503"
    ),
    "an exclusion": Case(
        "int4range",
        'ALTER TABLE a."it %" ADD EXCLUDE USING gist ("c %" WITH &&)',
        "int4range(n, n + 101)",
        STOP,
        "23P01",
    ),
    "an exclusion that is kept": Case(
        "int4range",
        'ALTER TABLE a."it %" ADD EXCLUDE USING gist ("c %" WITH &&)',
        "int4range(n, n + 100)",
        "ok",
    ),
    "an exclusion of some rows": Case(
        "int4range",
        'ALTER TABLE a."it %" ADD EXCLUDE USING gist ("c %" WITH &&) WHERE (n > 800)',
        "int4range(n, n + 101)",
        "ok",
    ),
    "an exclusion by a B-tree": Case(
        "int", 'ALTER TABLE a."it %" ADD EXCLUDE USING btree ("c %" WITH =, n WITH =)', "1", "ok"
    ),
    "an exclusion by a B-tree, and equal ones": Case(
        "int", 'ALTER TABLE a."it %" ADD EXCLUDE USING btree ("c %" WITH =)', "1", STOP, "23P01"
    ),
    "numbers of a sequence": Case("int", "", "nextval('a.numbers')", "unseen: the expression writes"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start(TEST_MAJOR) as running:
        yield running


def answered(session: psycopg.Connection[tuple[object, ...]], case: Case) -> str:
    """What the snippet says, as Preflight asks it: READ ONLY."""
    for sql in (TABLE.format(type=case.type), case.more, ROWS, SNIPPET, "BEGIN READ ONLY"):
        session.execute(sql.encode())
    row = session.execute(
        "SELECT pg_temp.values_refused(%s, 'c %%', %s, %s)",
        ['a."it %"', case.expression, f'"c %" IS NULL AND ({case.expression}) IS DISTINCT FROM NULL'],
    ).fetchone()
    session.execute("ROLLBACK")
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("name", CASES)
def test_it_says_what_the_update_would_say(server: Server, name: str) -> None:
    case = CASES[name]
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        assert answered(session, case).startswith(case.answer)
        try:
            session.execute(f'UPDATE a."it %" SET "c %" = {case.expression}'.encode())
        except psycopg.Error as error:
            assert error.sqlstate == case.refused
        else:
            assert not case.refused


def test_it_shows_the_row(server: Server) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        assert "(9,900," in answered(session, CASES["a row that it fails on"])
        assert ": (9,900,,900)" in answered(session, CASES["a CHECK"])
        assert "it %_c %_idx" in answered(session, CASES["a unique index"])
        assert ": (1,100," in answered(session, CASES["a unique index"])


def test_a_trigger_that_mends_the_row_is_not_refused(server: Server) -> None:
    """Nobody sees before what a trigger makes of a row, so the operator decides."""
    trigger = """
        ALTER TABLE a."it %" ADD CHECK ("c %" < 5);
        CREATE FUNCTION a.mend() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW."c %" := 1; RETURN NEW; END';
        CREATE TRIGGER mend BEFORE UPDATE ON a."it %" FOR EACH ROW EXECUTE FUNCTION a.mend()"""
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        assert answered(session, Case("int", trigger, "n", "")).startswith("unseen: unless a BEFORE trigger")
        session.execute('UPDATE a."it %" SET "c %" = n')


def test_rows_that_are_done_count_too(server: Server) -> None:
    """A value that another row has already, filled before or by a writer."""
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        more = """CREATE UNIQUE INDEX ON a."it %" ("c %"); INSERT INTO a."it %" ("c %") VALUES (300)"""
        assert answered(session, Case("int", more, "n", "")).startswith("stop: ")
        assert answered(session, Case("int", more.replace("300", "301"), "n", "")) == "ok"


def test_a_reference_that_cannot_be_read_is_unseen(server: Server) -> None:
    """The server reads the other table as its owner; the walk may go well, so the operator decides."""
    reader = """
        DROP ROLE IF EXISTS reader; CREATE ROLE reader; GRANT USAGE, CREATE ON SCHEMA a TO reader;
        ALTER TABLE a."it %" OWNER TO reader; ALTER TABLE a."it %" ADD FOREIGN KEY ("c %") REFERENCES a.far"""
    case = Case("int", reader, "n", "")
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        answered(session, case)
        session.execute("SET ROLE reader")
        asked = """SELECT pg_temp.values_refused('a."it %"', 'c %', 'n', '"c %" IS NULL')"""
        said = [session.execute(asked).fetchone()]
        session.execute("RESET ROLE; GRANT SELECT ON a.far TO reader; SET ROLE reader")
        said.append(session.execute(asked).fetchone())
        session.execute("RESET ROLE; DROP OWNED BY reader; DROP ROLE reader")
    assert "unseen: whether" in str(said[0])
    assert "may not read a.far" in str(said[0])
    assert "stop: " in str(said[1])


def test_pairs_of_many_rows_are_unseen(server: Server) -> None:
    more = """ALTER TABLE a."it %" ADD EXCLUDE USING gist ("c %" WITH &&);
              INSERT INTO a."it %" (id, n) SELECT 0, 1000 * n FROM generate_series(1, 10001) AS n"""
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        said = answered(session, Case("int4range", more, "int4range(n, n + 1)", ""))
    assert said.startswith("unseen: whether")
    assert "too many rows" in said
