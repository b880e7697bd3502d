"""The migrations of a folder in dbmate's layout, and their statements as a runner sends them."""

from __future__ import annotations

import hashlib
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters
from pgrehearse.text.concurrent import built_index
from pgrehearse.text.foreign_folder import refuse_unread
from pgrehearse.text.migration_grammar import Comment, Section, parse
from pgrehearse.text.split import Place, SplitError, Statement, places
from pgrehearse.text.statement import Control, Kind, classify

__all__ = ["Migration", "Statements", "load", "statements"]

_NAME = re.compile(r"(?P<version>\d+)_(?P<name>[\w-]+)\.sql")


@dataclass(frozen=True)
class Migration:
    """One migration file.

    Attributes:
        version: the digits its name starts with.
        sha256: that of its bytes.
        comments: every comment line, with what it declares.
        foreign: of another tool than dbmate, see `layouts`; its down part is not read.
        refused: why what it applies cannot be seen.
        joined: what becomes of two statements outside a transaction; empty where each is sent by itself.
    """

    path: Path
    version: str
    name: str
    up: Section
    down: Section | None
    sha256: str
    comments: tuple[Comment, ...] = ()
    foreign: bool = False
    refused: DocumentError | None = None
    joined: str = "dbmate sends both as one message, and that is a transaction again"

    @property
    def label(self) -> str:
        """Its name within the folder."""
        return self.name if self.foreign else self.path.name

    def declared(self, word: str) -> list[Comment]:
        """The comments that declare ``word``, one of those of `Comment`."""
        return [comment for comment in self.comments if comment.declares == word]

    @property
    def not_restored(self) -> str:
        """The reason why the down part cannot restore what was; empty without one in that part."""
        begins = self.down.line if self.down else math.inf
        return next((one.reason for one in self.declared("not restored") if one.line >= begins), "")


def load(folder: Path) -> list[Migration]:
    """The migrations of ``folder`` in order of version; none when there is no such folder.

    Raises DocumentError: a file that is none, or cannot be read; a folder with files and none that is read.
    """
    found: dict[str, Migration] = {}
    for file in sorted(folder.glob("*.sql")):
        migration = _read(file)
        if migration.version in found:
            message = f"{found[migration.version].path.name} has the same version"
            raise DocumentError(message, path=file, next_step="give one of them another number")
        found[migration.version] = migration
    if not found:
        refuse_unread(folder)
    return [found[version] for version in sorted(found)]


def _read(file: Path) -> Migration:
    name = _NAME.fullmatch(file.name)
    if not name:
        raise DocumentError(
            "a migration's name is digits, an underscore, words",
            path=file,
            next_step="rename it, such as 20260105090000_create_wishlist_items.sql;"
            " of other layouts pgrehearse db lint alone reads the files",
        )
    text = characters.read(file)
    digest = hashlib.sha256(text.encode()).hexdigest()
    parts = parse(text, file)
    return Migration(file, name["version"], name["name"], parts.up, parts.down, digest, parts.comments)


class Statements(Sequence[Statement]):
    """The statements of a section, and of what ``kinds`` they are.

    Kept by their places: those of a large file take less memory than its text does.
    """

    def __init__(self, migration: Migration, section: Section) -> None:
        if migration.refused is not None:
            raise migration.refused
        self._text = section.sql
        self._starts, self._ends, self._lines = array("q"), array("q"), array("q")
        self.kinds: list[Kind] = []
        for place in _places(migration, section):
            sql = self._text[place.start : place.end]
            kind = classify(place.statement or sql)
            gexec = place.statement is not None and place.statement.gexec
            if problem := _problem(sql, kind, migration, section, gexec=gexec):
                line = section.line + place.line - 1
                raise DocumentError(problem[0], path=migration.path, line=line, next_step=problem[1])
            self._starts.append(place.start)
            self._ends.append(place.end)
            self._lines.append(place.line)
            self.kinds.append(kind)

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> Statement: ...
    @overload
    def __getitem__(self, index: slice) -> list[Statement]: ...
    def __getitem__(self, index: int | slice) -> Statement | list[Statement]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        return Statement(self._text[self._starts[index] : self._ends[index]], self._lines[index])


def statements(migration: Migration, section: Section) -> Statements:
    """The statements of a section. Raises DocumentError for what a runner cannot send, record or resume."""
    return Statements(migration, section)


def _places(migration: Migration, section: Section) -> Iterator[Place]:
    try:
        yield from places(section.sql)
    except SplitError as error:
        line, fix = section.line + error.line - 1, error.fix
        if error.message.startswith("unterminated"):
            fix += "; a `-- migrate:` line inside it begins the other part, for dbmate too"
        raise DocumentError(error.message, path=migration.path, line=line, next_step=fix) from None


def _problem(
    sql: str, kind: Kind, migration: Migration, section: Section, *, gexec: bool
) -> tuple[str, str] | None:
    """What is wrong, and what to do. A file of another tool is not sent by the runner: it may say BEGIN."""
    theirs = migration.foreign and not section.transaction
    if gexec:
        return "\\gexec is a command of psql", "write the statement itself, or a DO block"
    if kind.control not in (None, Control.WITHIN) and not theirs:
        two = kind.words[1:2] == ("transaction",) and kind.verb in ("start", "prepare")
        said = " ".join(kind.words[: 2 if two else 1]).upper()
        return f"{said}: the runner begins and ends transactions", "remove the line"
    if kind.unlocks:
        return (
            "this statement gives up the lock that keeps a second runner away",
            "name what is to be given up: RESET, DEALLOCATE, pg_advisory_unlock(key)",
        )
    if kind.alone and section.transaction:
        return (
            "this statement refuses a transaction, and the section is one",
            "give it a file of its own, and say so in your tool's words: -- +goose NO TRANSACTION,"
            " runInTransaction:false, -- atlas:txmode none, run_in_transaction = false in diesel's"
            " metadata.toml; with Drizzle COMMIT; before it and BEGIN; after it"
            if migration.foreign
            else "write `transaction:false` after `-- migrate:up` (or down), and give it a file of its own",
        )
    if kind.concurrent and kind.verb == "create" and built_index(sql) is None:
        return (
            "this index has no name, so the remains of an interrupted build could not be told",
            "write one after CONCURRENTLY",
        )
    if not section.transaction and kind.temporary and not kind.routine:
        return (
            "a temporary table is gone when an interrupted run is resumed",
            "use an ordinary table and drop it in the last statement",
        )
    return None
