"""What migrations or a file define, read from a scratch database: made once, then known.

Carrying migrations out takes most of a comparison, and what comes of it depends on files, on who ran them and
on the server's programs. So what the scratch database said of itself is kept under all of that, and the
database is made again only where it is needed itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.migration.drift.lent import ScratchRunner
from pgrehearse.migration.drift.memory import basis
from pgrehearse.migration.drift.scratch import Scratch
from pgrehearse.schema.definition import Item, Reading, Schema
from pgrehearse.servers import remembered
from pgrehearse.text import passwords
from pgrehearse.text.migration_files import Migration

__all__ = ["DeclaredByFile", "MadeByMigrations"]

_KIND = "made"
#: Definitions that are kept; one of a thousand tables has 3 MB.
_MOST = 40


class MadeByMigrations:
    """What ``migrations`` make when ``runner`` carries them out. Use it in a ``with``.

    Raises DocumentError when it is first looked at: they cannot be carried out from nothing.
    """

    def __init__(
        self, migrations: Sequence[Migration], runner: ScratchRunner, roles: Path, major: int
    ) -> None:
        self._migrations, self._runner, self._roles, self._major = migrations, runner, roles, major
        self._name = remembered.digest(basis(runner, migrations, roles, major))
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @property
    def schema(self) -> Schema:
        """All of it."""
        return self._known.reading.schema()

    @property
    def named(self) -> set[str]:
        """Roles that the definition itself makes."""
        return set(self._known.named)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the scratch database."""
        return self._known.notes

    @cached_property
    def reloaded(self) -> Schema:
        """The same after a dump and a restore."""
        name = f"{self._name}-again"
        if (kept := _recalled(name)) is not None:
            return kept.reading.schema()
        scratch, database = self.scratch
        reading = scratch.reloaded(database, self.named)
        _keep(name, _Known(reading))
        return reading.schema()

    @cached_property
    def scratch(self) -> tuple[Scratch, str]:
        """A server with the database itself, and the database's name. It ends with this."""
        scratch = self._stack.enter_context(Scratch(self._major, self._runner, self._roles))
        return scratch, scratch.migrated(self._migrations)

    @cached_property
    def _known(self) -> _Known:
        if (kept := _recalled(self._name)) is not None:
            return kept
        scratch, database = self.scratch
        named = scratch.named
        known = _Known(scratch.reading(database, named), tuple(sorted(named)), tuple(scratch.notes))
        _keep(self._name, known)
        return known


class DeclaredByFile:
    """What the statements of ``file`` define, as pg_dump or dbmate wrote them. Use it in a ``with``.

    Within it, it is read beside whatever else is done: a machine has more than one processor.
    """

    def __init__(self, file: Path, text: str, major: int) -> None:
        self._file, self._major = file, major
        self._name = remembered.digest([*basis(ScratchRunner(), (), None, major), text.encode()])
        self._read = _Beside(self._made)
        self._scratch: Scratch | None = None
        self._given_up = False

    def __enter__(self) -> Self:
        self._read.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if exc[0] is not None:
            self._given_up = True
            if self._scratch is not None:
                self._scratch.__exit__()  # what it is asked fails, and so ends
        self._read.join()

    @property
    def schema(self) -> Schema:
        """All of it. Raises DocumentError with the line that cannot be carried out."""
        return self._read.answer().schema()

    def _made(self) -> Reading:
        if (kept := _recalled(self._name)) is not None:
            return kept.reading
        with Scratch(self._major) as self._scratch:
            if self._given_up:
                raise SetupError("the file was not read: nobody waits for it", next_step="run this again")
            reading = self._scratch.reading(self._scratch.loaded(self._file), set())
        _keep(self._name, _Known(reading))
        return reading


class _Beside(threading.Thread):
    """``work`` in a thread of its own."""

    def __init__(self, work: Callable[[], Reading]) -> None:
        super().__init__(name="read the file", daemon=True)
        self._work = work
        self._read: Reading | None = None
        self._failed: BaseException | None = None

    def run(self) -> None:
        try:
            self._read = self._work()
        except BaseException as error:  # raised by whoever waits
            self._failed = error

    def answer(self) -> Reading:
        """What it found, or what it raised."""
        self.join()
        if self._failed is not None:
            raise self._failed
        assert self._read is not None
        return self._read


@dataclass(frozen=True)
class _Known:
    reading: Reading
    named: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _recalled(name: str) -> _Known | None:
    try:
        value = remembered.recall(_KIND, name)
        said: dict[str, Any] = value["reading"]
        said["extras"] = tuple(Item(**one) for one in said["extras"])
        said["unseen"] = tuple(said["unseen"])
        said["versions"] = tuple((object_, version) for object_, version in said["versions"])
        return _Known(Reading(**said), tuple(value["named"]), tuple(value["notes"]))
    except (OSError, ValueError, KeyError, TypeError, PgRehearseError):
        return None


def _keep(name: str, known: _Known) -> None:
    """Remember it. What holds a password is no text for a cache."""
    reading = known.reading
    said = [reading.text, *(one.sql for one in reading.extras)]
    if all(passwords.marked(text) == text for text in said):
        remembered.keep(_KIND, name, asdict(known), most=_MOST)
