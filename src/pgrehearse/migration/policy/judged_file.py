"""A migration as the checks read it: its statements, and the exceptions that comments declare for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pgrehearse.errors import DocumentError
from pgrehearse.findings import Finding
from pgrehearse.migration.policy.register import CHECKS, broken
from pgrehearse.text.migration_files import Migration, statements
from pgrehearse.text.migration_grammar import Comment, Section
from pgrehearse.text.split import Statement

__all__ = ["File", "Written", "files", "read"]


@dataclass(frozen=True)
class Written:
    """One statement of the file: its first and last line, and the exceptions declared for it.

    ``rows``: what a COPY from the client is given.
    """

    sql: str
    line: int
    last: int
    allows: tuple[Comment, ...] = ()
    rows: str | None = None


@dataclass(frozen=True)
class File:
    """One migration. ``used`` collects the exceptions that were needed, so that others can be refused.

    Attributes:
        up, down: the statements; empty where a part is missing or not readable.
        allows: exceptions for the whole file.
        unreadable: what of the up part a runner could not send.
        unreadable_down: the same of the down part.
    """

    migration: Migration
    up: tuple[Written, ...]
    down: tuple[Written, ...]
    allows: tuple[Comment, ...]
    unreadable: tuple[Finding, ...] = ()
    unreadable_down: tuple[Finding, ...] = ()
    used: set[Comment] = field(default_factory=set, compare=False)

    @property
    def untransacted(self) -> str:
        """How a file comes to be sent without a transaction: by a mark, or as another tool has it."""
        return (
            "which your tool sends without a transaction"
            if self.migration.foreign
            else "with transaction:false"
        )

    @property
    def remains(self) -> str:
        """What becomes of the INVALID index that a failed build leaves."""
        if self.migration.foreign:
            return "drop what a failed build left, before the next try"
        return "pgrehearse db up removes the remains of an interrupted build itself"

    @property
    def untimed(self) -> str:
        """Who sets no lock_timeout."""
        return f"{'most tools' if self.migration.foreign else 'dbmate and psql'} set none"

    def allowed(self, check: str, statement: Written | None = None) -> bool:
        """Whether an exception from ``check`` is declared, for the file or for ``statement``."""
        own = statement.allows if statement is not None else ()
        found = [allow for allow in (*self.allows, *own) if allow.check == check and allow.reason]
        self.used.update(found)
        return bool(found)

    def at(self, line: int, sql: str) -> Written | None:
        """The statement ``sql`` of the up part that stands on ``line``, which may hold several."""
        there = [written for written in self.up if written.line <= line <= written.last]
        return next((written for written in there if written.sql == sql), there[0] if there else None)

    def every_allow(self) -> Iterator[Comment]:
        yield from self.allows
        for written in (*self.up, *self.down):
            yield from written.allows

    def misdeclared(self) -> Iterator[Finding]:
        """Declarations that say nothing, or name no check that has exceptions."""
        for allow in self.every_allow():
            known = CHECKS.get(allow.check)
            names = ", ".join(check.name for check in CHECKS.values() if check.allowable)
            if known is None or not known.allowable:
                said, check = f"{allow.check or 'nothing'!r} is no check with exceptions", "runnable"
                yield self._problem(
                    check, allow.line, said, f"write `-- allow: CHECK reason` with one of {names}"
                )
            elif not allow.reason:
                yield self._problem(
                    allow.check, allow.line, "an exception without a reason", "say why it is safe here"
                )
        for one in self.migration.declared("breaking"):
            if not one.reason:
                yield self._problem(
                    "breaking", one.line, "`-- breaking:` names nobody", "say who breaks, and how"
                )

    def _problem(self, check: str, line: int, said: str, next_step: str) -> Finding:
        return broken(check, self.migration.path, line, said, next_step)


def read(migration: Migration) -> File:
    """The statements of ``migration``. What cannot be read is in ``unreadable``."""
    allows = migration.declared("allow")
    up, wrong = _statements(migration, migration.up, allows)
    down, wrong_down = _statements(migration, migration.down, allows) if migration.down else ((), [])
    whole = tuple(allow for allow in allows if allow.line < migration.up.line)
    return File(migration, up, down, whole, tuple(wrong), tuple(wrong_down))


def _statements(
    migration: Migration, section: Section, allows: Sequence[Comment]
) -> tuple[tuple[Written, ...], list[Finding]]:
    try:
        found = statements(migration, section)
    except DocumentError as error:
        line = error.line or section.line
        problem = broken("runnable", migration.path, line, error.message, error.next_step or "mend it")
        return (), [problem]
    written: list[Written] = []
    before = section.line - 1
    for statement in map(Statement.without_heading, found):
        line = section.line + statement.line - 1
        last = line + statement.sql.count("\n")
        own = tuple(allow for allow in allows if before < allow.line <= last)
        written.append(Written(statement.sql, line, last, own))
        before = last
    return tuple(written), []


def files(migrations: Sequence[Migration]) -> list[File]:
    """`read` for all of ``migrations``."""
    return [read(migration) for migration in migrations]
