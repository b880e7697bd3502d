"""Runs of a runbook that fail at a gate until somebody opens it."""

from __future__ import annotations

from support.bench import Bench
from support.databases import Database

__all__ = ["GATE", "SLOW", "generating", "note", "noted", "open_gate", "run", "stopped_at_the_gate"]

#: A statement that takes a minute while the table ``gate`` is empty; see the fixture ``gated``.
SLOW = "SELECT CASE WHEN (SELECT count(*) FROM gate) = 0 THEN pg_sleep(60) END;"
#: One that fails then.
GATE = "SELECT 1 / (SELECT count(*) FROM gate);"


def note(text: str) -> str:
    """A statement that leaves ``text`` in the table ``trace``, whatever the search path is."""
    return f"INSERT INTO public.trace (note) VALUES ('{text}');"


def run(bench: Bench, database: Database, *more: str) -> tuple[int, str, str]:
    """Carry out the bench's runbook: exit status, standard output, standard error."""
    ended = bench.call("run", "sample", "--yes", "--dsn", database.dsn, *more)
    return ended.status, ended.out, ended.err


def open_gate(database: Database) -> None:
    """Let ``GATE`` pass from now on."""
    database.execute("INSERT INTO gate VALUES (true)")


def noted(value: str) -> str:
    """A statement that leaves what the expression ``value`` says there."""
    return f"INSERT INTO public.trace (note) SELECT {value};"


def generating(*statements: str) -> str:
    """A query that generates ``statements`` for psql's gexec."""
    values = ", ".join(f"($${statement}$$)" for statement in statements)
    return f"VALUES {values}\n\\gexec"


def stopped_at_the_gate(bench: Bench, database: Database) -> None:
    """A run that failed there; the gate is open then."""
    status, _, err = run(bench, database)
    assert status == 1, err
    assert "22012" in err
    open_gate(database)
