"""A session: one message a statement, without blocking us."""

from __future__ import annotations

import psycopg
import pytest

from pgrehearse.errors import SetupError
from pgrehearse.execution.session import Message, Session
from support.waiting import wait_until


def run(session: Session, *statements: str, limit: float = 20) -> list[str]:
    session.start([Message(sql, line) for line, sql in enumerate(statements, 1)])
    pump(session, limit)
    return session.output


def pump(session: Session, limit: float = 20) -> None:
    wait_until(lambda: session.pump(0.1), "the session finishes", limit)


@pytest.fixture
def session(database: str) -> Session:
    return Session("main", database)


def test_output_and_transaction(session: Session) -> None:
    assert run(session, "BEGIN", "SELECT 1 AS a") == ["BEGIN", " a\n---\n 1\n(1 row)"]
    assert session.in_transaction
    assert run(session, "SELECT 1/0")[0].startswith("ERROR:  division by zero")
    assert session.in_transaction
    assert session.error is not None
    assert (session.error.sqlstate, session.error.lost) == ("22012", False)
    assert run(session, "ROLLBACK") == ["ROLLBACK"]
    assert session.error is None
    assert not session.in_transaction


def test_the_first_error_ends_the_cell(session: Session) -> None:
    run(session, "SELECT 1", "SELECT\n\n nope", "SELECT 2", "SELECT 3")
    error = session.error
    assert error is not None
    assert (error.sqlstate, error.unsent, error.line, error.statement) == ("42703", 2, 4, "SELECT\n\n nope")
    assert len(session.output) == 2


def test_a_busy_session_takes_nothing_more(session: Session) -> None:
    session.start([Message("SELECT pg_sleep(60)", 1)])
    assert not session.pump(0.01)
    assert not session.finished
    with pytest.raises(AssertionError, match="still busy"):
        session.start([Message("SELECT 1", 1)])
    session.cancel()
    pump(session)
    assert session.error is not None
    assert session.error.sqlstate == "57014"
    assert run(session, "SELECT 1")[0].endswith("(1 row)")


def test_a_large_result_and_a_large_statement(session: Session) -> None:
    value = "x" * 3_000_000
    (output,) = run(session, f"SELECT length('{value}') AS n, repeat('y', 1000000) AS y")
    assert "3000000" in output
    assert len(output) > 2_000_000


def test_notices_keep_their_place(session: Session) -> None:
    block = "DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two' USING hint = 'h'; END $$"
    assert run(session, "SELECT", block, "SELECT") == [
        "--\n(1 row)",
        "NOTICE:  one",
        "WARNING:  two\nHINT:  h",
        "DO",
        "--\n(1 row)",
    ]


def test_a_terminated_backend_is_lost_and_says_so(session: Session, database: str) -> None:
    session.start([Message("SELECT pg_sleep(60)", 7), Message("SELECT 1", 8)])
    session.pump(0.01)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [session.pid])
    pump(session)
    error = session.error
    assert error is not None
    assert (error.line, error.unsent) == (7, 1)
    assert error.sqlstate == "57P01" or error.lost
    session.start([Message("SELECT 1", 9)])
    pump(session)
    assert session.error is not None
    assert session.error.lost


def test_copy_is_refused_also_when_generated(session: Session) -> None:
    session.start([Message("SELECT 'COPY (SELECT 1) TO STDOUT'", 1, gexec=True), Message("SELECT 2", 2)])
    pump(session)
    assert session.error is not None
    assert "COPY through the client" in session.error.text
    assert session.finished
    session.cancel()


def test_a_wrong_address_is_a_message_without_the_password() -> None:
    with pytest.raises(SetupError, match="session main cannot connect") as caught:
        Session("main", "host=127.0.0.1 port=1 user=x password=s3cret")
    assert "s3cret" not in str(caught.value)
    assert caught.value.next_step
