"""The statements of a file that is x-rayed, and the transactions they stand in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import layouts
from pgrehearse.text.migration_grammar import Section, has_marks, parse
from pgrehearse.text.project import Project
from pgrehearse.text.split import SplitError, Statement, split
from pgrehearse.text.statement import Control, classify

__all__ = ["FileStatement", "bound", "ends", "opens", "stands_alone", "steps"]

#: What ends a transaction.
_ENDS = (Control.CLOSES, Control.GIVES_UP)


@dataclass(frozen=True)
class FileStatement:
    """One statement of the file.

    Attributes:
        block: number of the transaction it stands in, or 0.
        kept: whether that transaction is committed.
        rows: what a COPY from the client is given.
    """

    line: int
    statement: str
    block: int = 0
    kept: bool = True
    rows: str | None = None


def steps(path: Path) -> list[FileStatement]:
    """The statements of ``path``: plain SQL, or the up part of a migration, see `text.foreign_marks`.

    Raises:
        DocumentError: no such file, not UTF-8, or not something psql could send.
    """
    text = layouts.text_of(path)
    marked = has_marks(text)
    section = parse(text, path).up if marked else layouts.section(text, path, Project.find(path).placeholders)
    section = section or Section(text, 1, transaction=False)
    first, transaction = section.line, section.transaction
    try:
        statements = split(section.sql.replace("\r\n", "\n"))
    except SplitError as error:
        raise DocumentError(
            error.message, path=path, line=first + error.line - 1, next_step=error.fix
        ) from None
    found: list[FileStatement] = []
    block, count = (1, 1) if transaction else (0, int(transaction))
    for statement in map(Statement.without_heading, statements):
        control = classify(statement).control
        if control is Control.OPENS and not block:
            block = count = count + 1
        found.append(FileStatement(first + statement.line - 1, statement.sql, block))
        if control in _ENDS and block and not transaction:
            if control is Control.GIVES_UP:
                found = [replace(step, kept=False) if step.block == block else step for step in found]
            block = 0
    return found


def opens(step: FileStatement) -> bool:
    """Whether it begins a transaction."""
    return classify(step.statement).control is Control.OPENS


def ends(step: FileStatement) -> bool:
    """Whether it ends one."""
    return classify(step.statement).control in _ENDS


def bound(step: FileStatement) -> bool:
    """Whether it does nothing by itself that later statements of its transaction would find."""
    kind = classify(step.statement)
    of_cursors = kind.verb in ("declare", "fetch", "move", "close")
    return kind.temporary or kind.of_temporary or of_cursors or kind.control is Control.WITHIN


def stands_alone(step: FileStatement) -> bool:
    """Whether it is the same alone in a transaction that is kept, and in none."""
    kind = classify(step.statement)
    return step.kept and kind.control is None and not kind.settings
