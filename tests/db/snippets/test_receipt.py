"""The receipt of Apply: kept by a role that owns a table and nothing else, trusted from such a role only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.schema.contents import state_of
from pgrehearse.schema.dump import dump
from pgrehearse.servers import Server, start
from support.majors import TEST_MAJOR

SNIPPET = (Path(__file__).parents[3] / "snippets" / "sql" / "receipt.sql").read_text("utf-8")
ROLES = """
CREATE ROLE table_owner LOGIN; CREATE ROLE operator LOGIN IN ROLE table_owner; CREATE ROLE stranger LOGIN;
CREATE TABLE "a 100% \'t" (n int); ALTER TABLE "a 100% \'t" OWNER TO table_owner;
CREATE TABLE other (n int); ALTER TABLE other OWNER TO table_owner;
"""
TABLE = """'"a 100% ''t"'::regclass"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start(TEST_MAJOR) as running:
        with psycopg.connect(running.dsn(), autocommit=True) as admin:
            admin.execute(ROLES.replace("\\'", "'").encode())
        yield running


def asked(server: Server, user: str, *statements: str) -> Any:
    """The first value of the last of ``statements``, in a session of its own that has the functions."""
    with psycopg.connect(server.dsn(), user=user, autocommit=True) as session:
        session.execute(SNIPPET.encode())
        for sql in statements:
            cursor = session.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def keep(content: str, what: str = "w", table: str = TABLE) -> str:
    return f"SELECT pg_temp.keep_receipt('pg_class', {table}, '{what}', '{content}')"


def read(what: str = "w", table: str = TABLE) -> str:
    return f"SELECT pg_temp.receipt('pg_class', {table}, '{what}')"


def drop(what: str = "w", table: str = TABLE) -> str:
    return f"SELECT pg_temp.drop_receipt('pg_class', {table}, '{what}')"


def test_it_is_kept_read_and_dropped_without_a_trace(server: Server) -> None:
    before, schema = state_of(server.dsn()), dump(server.dsn()).text
    said = asked(server, "table_owner", keep(r"""{"was": "50% \\ ''"}"""), read())
    assert said == {"what": "w", "of": 'public."a 100% \'t"', "was": "50% \\ '"}
    assert asked(server, "operator", read()) == said  # in another session, by another role
    assert dump(server.dsn()).text == schema
    assert before.differences(state_of(server.dsn())) == ['+ receipt of w on public."a 100% \'t"']
    asked(server, "operator", drop())
    assert before.differences(state_of(server.dsn())) == []


def test_it_belongs_to_one_thing_and_gives_way_to_a_later_one(server: Server) -> None:
    asked(server, "operator", keep('{"n": 1}'), keep('{"n": 2}'))
    assert asked(server, "operator", read())["n"] == 2
    assert asked(server, "operator", read("v")) is None
    assert asked(server, "operator", read(table="'other'::regclass")) is None
    asked(server, "operator", drop("v"))
    assert asked(server, "operator", read())["n"] == 2
    asked(server, "operator", drop())


def test_it_is_undone_with_its_transaction(server: Server) -> None:
    assert asked(server, "operator", "BEGIN", keep("{}"), "ROLLBACK", read()) is None


def test_nobody_else_can_plant_or_remove_one(server: Server) -> None:
    asked(server, "stranger", keep('{"undo": "DROP TABLE other"}', "planted"))
    assert asked(server, "table_owner", read("planted")) is None
    with pytest.raises(psycopg.errors.UniqueViolation):  # it is in the way, and Apply says so
        asked(server, "table_owner", keep("{}", "planted"))
    asked(server, "table_owner", keep("{}"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        asked(server, "stranger", drop())
    asked(server, "operator", drop())


def test_what_is_no_receipt_is_left_alone(server: Server) -> None:
    number = "pg_temp.receipt_number('pg_class', 'other'::regclass, 'mine')"
    asked(server, "table_owner", f"SELECT lo_create({number})")
    assert asked(server, "table_owner", read("mine", "'other'::regclass")) is None
    asked(server, "table_owner", drop("mine", "'other'::regclass"))
    there = f"SELECT EXISTS (SELECT FROM pg_largeobject_metadata WHERE oid = {number})"
    assert asked(server, "table_owner", there)
