"""The statements of a section as they are sent: which go ahead together, and which by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pgrehearse.migration.runner.question import Question, Questions
from pgrehearse.text.migration_files import Statements
from pgrehearse.text.passwords import redacted
from pgrehearse.text.statement import Kind

__all__ = ["Batch", "Batches", "Sent"]

#: Statements and bytes that go in one batch. A larger statement goes by itself: what libpq sends ahead makes
#: the server keep a copy of it.
_MANY = 100
_BYTES = 1 << 15
#: Characters of a statement that are recorded: the ledger is no second copy of the rows.
_SHOWN = 8192
#: Statements that may be sent ahead. Others are few, close what we prepared, or want rows of the client.
_AHEAD = frozenset(
    (
        *("alter", "analyze", "call", "cluster", "comment", "create", "delete", "do", "drop", "grant"),
        *("import", "insert", "lock", "merge", "notify", "refresh", "reindex", "release", "revoke"),
        *("savepoint", "security", "select", "table", "truncate", "update", "values", "with"),
    )
)


class Sent(NamedTuple):
    """Statement ``number`` of the section, what is recorded of it (``shown``), and what is asked after it."""

    number: int
    sql: str
    shown: str
    line: int
    kind: Kind
    question: Question


class Batch(NamedTuple):
    """``ahead``: it is sent without waiting for the answers to those before; else it is one statement."""

    statements: list[Sent]
    ahead: bool


class Batches(Iterator[Batch]):
    """Makes batches as they are asked for.

    Args:
        ahead: whether statements are sent ahead at all.
    """

    def __init__(self, todo: Statements, questions: Questions, *, ahead: bool) -> None:
        self._made = self._make(todo, questions, ahead)
        self._ready: list[Batch] = []

    def __next__(self) -> Batch:
        return self._ready.pop() if self._ready else next(self._made)

    def prepare(self) -> None:
        """Make the next one now."""
        if not self._ready:
            self._ready.extend(batch for batch in [next(self._made, None)] if batch is not None)

    @staticmethod
    def _make(todo: Statements, questions: Questions, ahead: bool) -> Iterator[Batch]:
        batch: list[Sent] = []
        size = 0
        for number, (statement, kind) in enumerate(zip(todo, todo.kinds, strict=True), 1):
            sql = statement.sql
            sent = Sent(number, sql, _shown(sql), statement.line, kind, questions.after(sql, kind))
            together = ahead and _goes_ahead(sql, kind)
            if batch and (not together or len(batch) == _MANY or size > _BYTES):
                yield Batch(batch, ahead=True)
                batch, size = [], 0
            if together:
                batch.append(sent)
                size += len(sql)
            else:
                yield Batch([sent], ahead=False)
        if batch:
            yield Batch(batch, ahead=True)


def _shown(sql: str) -> str:
    shown = redacted(sql)
    if len(shown) <= _SHOWN:
        return shown
    return f"{shown[:_SHOWN]} ... and {len(shown) - _SHOWN:,} more characters"


def _goes_ahead(sql: str, kind: Kind) -> bool:
    """Whether what comes after ``sql`` may be on its way to the server before it is carried out.

    Not behind a setting: it may change how the rest is read. What is sent ahead must be one statement to the
    server too, which psql only guesses of a body with ATOMIC.
    """
    return (
        kind.verb in _AHEAD
        and len(sql) <= _BYTES
        and not kind.settings
        and not (kind.routine and "atomic" in sql.lower())
    )
