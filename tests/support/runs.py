"""Runs of a runbook that fail at a gate until somebody opens it."""

from __future__ import annotations

from support.bench import Bench
from support.databases import Database

__all__ = ["GATE", "note", "open_gate", "run"]

#: A statement that fails while the table ``gate`` is empty; see the fixture ``gated``.
GATE = "SELECT 1 / (SELECT count(*) FROM gate);"


def note(text: str) -> str:
    """A statement that leaves ``text`` in the table ``trace``."""
    return f"INSERT INTO trace (note) VALUES ('{text}');"


def run(bench: Bench, database: Database, *more: str) -> tuple[int, str, str]:
    """Carry out the bench's runbook: exit status, standard output, standard error."""
    ended = bench.call("run", "sample", "--yes", "--dsn", database.dsn, *more)
    return ended.status, ended.out, ended.err


def open_gate(database: Database) -> None:
    """Let ``GATE`` pass from now on."""
    database.execute("INSERT INTO gate VALUES (true)")
