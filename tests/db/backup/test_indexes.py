"""Indexes are compared with their tables while something else is asked."""

from __future__ import annotations

import threading

import psycopg
import pytest

from pgrehearse.backup.adapter import WorkOptions
from pgrehearse.backup.indexes import compared
from support.waiting import wait_until

_PROGRAMS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_amcheck' AND datname = %s"


def test_the_answer_waits_for_the_program(database: str) -> None:
    with (
        psycopg.connect(database, autocommit=True) as connection,
        compared(connection, database, WorkOptions()) as agreed,
    ):
        assert agreed().startswith("every index agrees with its table (pg_amcheck ")


def test_what_ends_the_questions_ends_the_program(database: str) -> None:
    """It waits for a lock here, and would wait for ever."""
    with psycopg.connect(database, autocommit=True) as connection, psycopg.connect(database) as holder:
        connection.execute("CREATE TABLE held (id int PRIMARY KEY)")
        holder.execute("LOCK TABLE held")

        def programs() -> int:
            row = connection.execute(_PROGRAMS, [connection.info.dbname]).fetchone()
            assert row is not None
            return int(row[0])

        with pytest.raises(KeyboardInterrupt), compared(connection, database, WorkOptions()):
            wait_until(lambda: programs() > 0, "the program has begun")
            raise KeyboardInterrupt
        assert "pg_amcheck" not in [thread.name for thread in threading.enumerate()]
        # A backend that waits for a lock does not see that its client has gone.
        holder.rollback()
        wait_until(lambda: programs() == 0, "the program has ended")
