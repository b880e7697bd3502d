"""A migration as the checks read it: its statements, and what the comments around them declare.

Three declarations, each a comment line of its own:

* ``-- breaking: who breaks, and what must be released before``, anywhere in the file;
* ``-- allow: CHECK reason``, right above a statement or inside it; above ``-- migrate:up`` for the file;
* ``-- not restored: reason``, in a down part that cannot undo everything (see `pgrehearse.migration.trial`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pgrehearse.errors import DocumentError
from pgrehearse.findings import Finding
from pgrehearse.migration.policy.rules import CHECKS, broken
from pgrehearse.migration.runner.section import statements
from pgrehearse.text.migration_files import Migration, Section
from pgrehearse.text.split import Statement

__all__ = ["Allow", "File", "Written", "read"]

_ALLOW = re.compile(r"--\s*allow:\s*(?P<name>[\w-]*)\s*(?P<reason>.*)")
_BREAKING = re.compile(r"--\s*breaking:\s*(?P<reason>.*)")
_NOT_RESTORED = re.compile(r"--\s*not restored:\s*(?P<reason>.*)")
_MARK = re.compile(r"^-- migrate:", re.M)


@dataclass(frozen=True)
class Allow:
    """One declared exception. ``line`` is 1-based in the file."""

    name: str
    reason: str
    line: int


@dataclass(frozen=True)
class Written:
    """One statement of the file: its first and last line, and the exceptions declared for it."""

    sql: str
    line: int
    last: int
    allows: tuple[Allow, ...] = ()


@dataclass(frozen=True)
class File:
    """One migration. ``used`` collects the exceptions that were needed, so that others can be refused.

    Attributes:
        up, down: the statements; empty where a part is missing or not readable.
        comments: line -> text of every ``--`` comment line.
        allows: exceptions for the whole file.
        breaking: line and reason of each ``-- breaking:``.
        not_restored: reason of a ``-- not restored:``, or the empty string.
        unreadable: what a runner could not send.
    """

    migration: Migration
    up: tuple[Written, ...]
    down: tuple[Written, ...]
    comments: dict[int, str]
    allows: tuple[Allow, ...]
    breaking: tuple[tuple[int, str], ...]
    not_restored: str
    unreadable: tuple[Finding, ...]
    used: set[Allow] = field(default_factory=set, compare=False)

    def allowed(self, check: str, statement: Written | None = None) -> bool:
        """Whether an exception from ``check`` is declared, for the file or for ``statement``."""
        own = statement.allows if statement is not None else ()
        found = [allow for allow in (*self.allows, *own) if allow.name == check and allow.reason]
        self.used.update(found)
        return bool(found)

    def at(self, line: int) -> Written | None:
        """The statement of the up part that stands on ``line``."""
        return next((written for written in self.up if written.line <= line <= written.last), None)

    def every_allow(self) -> Iterator[Allow]:
        yield from self.allows
        for written in (*self.up, *self.down):
            yield from written.allows

    def misdeclared(self) -> Iterator[Finding]:
        """Declarations that say nothing, or name no check that has exceptions."""
        for allow in self.every_allow():
            known = CHECKS.get(allow.name)
            names = ", ".join(check.name for check in CHECKS.values() if check.allowable)
            if known is None or not known.allowable:
                said, check = f"{allow.name or 'nothing'!r} is no check with exceptions", "runnable"
                yield self._problem(
                    check, allow.line, said, f"write `-- allow: CHECK reason` with one of {names}"
                )
            elif not allow.reason:
                yield self._problem(
                    allow.name, allow.line, "an exception without a reason", "say why it is safe here"
                )
        for line, reason in self.breaking:
            if not reason:
                yield self._problem(
                    "breaking", line, "`-- breaking:` names nobody", "say who breaks, and how"
                )

    def _problem(self, check: str, line: int, said: str, next_step: str) -> Finding:
        return broken(check, self.migration.path, line, said, next_step)


def read(migration: Migration) -> File:
    """Parse ``migration``. What cannot be read is in ``unreadable``."""
    text = migration.path.read_text(encoding="utf-8").replace("\r\n", "\n")
    mark = _MARK.search(text)
    head = text[: mark.start()] if mark else ""
    comments = {
        number: line.strip()
        for number, line in enumerate(text.split("\n"), 1)
        if line.lstrip().startswith("--")
    }
    head_allows = list(_allows(comments, 0, head.count("\n")))
    up, wrong = _statements(migration, migration.up, comments)
    down: tuple[Written, ...] = ()
    if migration.down is not None:
        down, more = _statements(migration, migration.down, comments)
        wrong += more
    found = [(line, _reason(m)) for line, m in _matching(_BREAKING, comments)]
    kept = next((_reason(m) for _, m in _matching(_NOT_RESTORED, comments)), "")
    return File(migration, up, down, comments, tuple(head_allows), tuple(found), kept, tuple(wrong))


def _matching(pattern: re.Pattern[str], comments: dict[int, str]) -> Iterator[tuple[int, re.Match[str]]]:
    for line, text in sorted(comments.items()):
        if match := pattern.match(text):
            yield line, match


def _reason(match: re.Match[str]) -> str:
    """The words up to a second comment on the same line."""
    return match["reason"].partition("--")[0].strip(" :,-")


def _allows(comments: dict[int, str], after: int, last: int) -> Iterator[Allow]:
    for line, match in _matching(_ALLOW, comments):
        if after < line <= last:
            yield Allow(match["name"], _reason(match), line)


def _statements(
    migration: Migration, section: Section, comments: dict[int, str]
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
        written.append(Written(statement.sql, line, last, tuple(_allows(comments, before, last))))
        before = last
    return tuple(written), []


def files(migrations: Sequence[Migration]) -> list[File]:
    """`read` for all of ``migrations``."""
    return [read(migration) for migration in migrations]
