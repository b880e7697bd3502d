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
CREATE TABLE a."it %" (id int, gone int, n int, "c %" {type});
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
    "digits": Case("numeric(4, 2)", "", "n", STOP, "22003"),
    "a row that it fails on": Case("int", "", "n / (id - 9)", STOP, "22012"),
    "a row that it leaves out": Case("int", "", "n / nullif(id - 9, 0)", "ok"),
    "a literal": Case("text", "", "'x'", "ok"),
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
        assert "(9,900,900" in answered(session, CASES["a CHECK"])


def test_a_trigger_that_mends_the_row_is_not_refused(server: Server) -> None:
    """Nobody sees before what a trigger makes of a row, so the operator decides."""
    trigger = """
        ALTER TABLE a."it %" ADD CHECK ("c %" < 5);
        CREATE FUNCTION a.mend() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW."c %" := 1; RETURN NEW; END';
        CREATE TRIGGER mend BEFORE UPDATE ON a."it %" FOR EACH ROW EXECUTE FUNCTION a.mend()"""
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        assert answered(session, Case("int", trigger, "n", "")).startswith("unseen: unless a BEFORE trigger")
        session.execute('UPDATE a."it %" SET "c %" = n')
