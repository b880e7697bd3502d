"""The comparisons of ``pgrehearse db check``: live against migrations, migrations against the schema file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from pgrehearse.errors import SetupError, first_line
from pgrehearse.findings import Finding
from pgrehearse.migration.drift.copies import ScratchCopies
from pgrehearse.migration.drift.ignoring import Ignored, unused, without
from pgrehearse.migration.drift.lent import ScratchRunner
from pgrehearse.migration.drift.live import Live
from pgrehearse.migration.drift.made import DeclaredByFile, MadeByMigrations
from pgrehearse.migration.drift.memory import Memory
from pgrehearse.migration.drift.repairs import Repair, repair
from pgrehearse.migration.drift.scratch import Scratch
from pgrehearse.schema.compare import Differences, differences, in_the_form_of
from pgrehearse.schema.definition import Schema, reading
from pgrehearse.schema.dump import major_of
from pgrehearse.schema.items import Item
from pgrehearse.servers.binaries import DEFAULT, SUPPORTED
from pgrehearse.text import characters
from pgrehearse.text.migration_files import Migration

__all__ = [
    "NEXT",
    "Compared",
    "comparing_with_file",
    "live_against_migrations",
    "schema_file",
]

#: What a file by dbmate cannot hold: it is written without owners and privileges, for one database.
_NOT_IN_A_FILE = ("database", "role ", "all roles", "parameter ", "default privileges ", "system objects")
_LIVE = ("live", "the migrations")
_NOTE = "db/schema.sql holds no owners, privileges, roles or settings: only the comparison with live does"


#: What to do about the drift of each comparison.
NEXT = {
    "live": "undo the change, or write it as a migration (pgrehearse db new);"
    " what a cluster is given from outside belongs in db/roles.sql (--write-roles)",
    "schema": "definition edited: write the migration; migration added: --write-schema writes the file anew",
}


@dataclass(frozen=True)
class Compared:
    """``drift`` between ``names[0]`` and ``names[1]``, and what is to be known about the comparison.

    ``check``: which comparison, as a key of `NEXT`; ``file``: where the definition is that should hold;
    ``open``: of the notes, those that say what no difference is known of; ``repair``: what makes
    ``names[0]`` what ``names[1]`` is, where it was asked for; ``ignored``: what is left out of ``drift``.
    """

    check: str
    file: Path
    names: tuple[str, str]
    drift: Differences
    notes: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    repair: Repair = field(default_factory=Repair)
    ignored: tuple[Ignored, ...] = ()

    @property
    def findings(self) -> list[Finding]:
        """Every statement that only one side has, object by object."""
        sides = tuple(zip(self.names, (self.drift.only_left, self.drift.only_right), strict=True))
        return [
            Finding(
                f"only in {side}: {one.why}",
                self.file,
                kind="drift",
                check=self.check,
                about=name,
                statement=one.sql,
                next_step=self.repair.said(one.object, one.subject) or NEXT[self.check],
            )
            for name in self.drift.objects
            for side, found in sides
            for one in found
            if one.object == name
        ]


def live_against_migrations(
    conninfo: str,
    live: Live,
    migrations: Sequence[Migration],
    roles: Path,
    major: int,
    *,
    ignore: Mapping[str, str] = {},
    repairs: bool = False,
) -> Compared:
    """A live database and a scratch one that got the same migrations. Pending ones are no drift.

    Args:
        ignore: patterns of drift that is not counted, with reasons; see `ignoring`.
        repairs: find and try what puts a difference right, which takes some seconds.

    Raises:
        SetupError: nothing says which migrations are applied; a server or a permission is missing.
        DocumentError: the migrations cannot be carried out from nothing.
    """
    if live.applied is None:
        raise SetupError(
            "this database has no ledger, so nothing says which migrations it has",
            next_step="pgrehearse db up applies them and writes it",
        )
    applied = live.applied
    chosen = [migration for migration in migrations if migration.version in applied]
    memory = Memory(live.runner, chosen, roles, major)
    if (clean := memory.recalled()) is not None:
        said = reading(conninfo, set(clean.named))
        if said.digest in clean.digests:
            return _live(live, roles, said.unseen, Differences(), clean.notes, unused(ignore))
    with MadeByMigrations(chosen, live.runner, roles, major) as made:
        wanted = made.schema
        said = reading(conninfo, made.named)
        found = said.schema()
        if differences(found, wanted):
            wanted = in_the_form_of(found, wanted, made.reloaded)
        if not differences(found, wanted):
            memory.keep(made.named, made.notes, said.digest)
        found, wanted, ignored = without(found, wanted, ignore)
        todo, notes = Repair(), made.notes
        if repairs and differences(found, wanted):
            todo, untried = _repair(made, live.roles, found, wanted)
            notes += untried
    drift = differences(found, wanted, _LIVE)
    return replace(_live(live, roles, said.unseen, drift, notes, ignored), repair=todo)


def _live(
    live: Live,
    roles: Path,
    hidden: Sequence[str],
    drift: Differences,
    notes: Sequence[str],
    ignored: tuple[Ignored, ...],
) -> Compared:
    """``hidden``: what the role may not read."""
    unseen = tuple(f"not compared: {reason}" for reason in hidden)
    busy = ("a runner is at work on this database: check again when it has ended",) if live.busy else ()
    file, open_ = roles.with_name("schema.sql"), (*busy, *unseen)
    return Compared("live", file, _LIVE, drift, (*busy, *notes, *unseen), open_, ignored=ignored)


def _repair(
    made: MadeByMigrations, roles: Collection[str], found: Schema, wanted: Schema
) -> tuple[Repair, tuple[str, ...]]:
    """What puts the difference right on a server with ``roles``; a note where that cannot be tried."""
    try:
        scratch, name = made.scratch
        todo = repair(ScratchCopies(scratch, roles), name, found, wanted, made.named)
        return todo.on(scratch.runner.database), ()
    except (psycopg.Error, SetupError) as error:
        return Repair(), (f"what puts it right was not tried: {first_line(error)}",)


@contextmanager
def comparing_with_file(
    migrations: Sequence[Migration],
    file: Path,
    roles: Path,
    major: int | None = None,
    runner: ScratchRunner | None = None,
) -> Iterator[Callable[[], Compared]]:
    """The comparison of all migrations with ``file``; it is read beside what is done before that is called.

    Args:
        file: as pg_dump or dbmate wrote it.
        major: of the servers; None for the one the file came from.
        runner: whoever carries them out; what they made before for the same one is not made again.

    Raises DocumentError: either cannot be carried out; SetupError: there is no such file.
    """
    if not file.is_file():
        raise SetupError(
            "there is no schema file", path=file, next_step="pgrehearse db check --write-schema writes it"
        )
    runner, chosen, text = runner or ScratchRunner(), major or _major(file), characters.read(file)
    memory = Memory(runner, migrations, roles, chosen, text)
    clean = Compared("schema", file, ("the migrations", "schema.sql"), Differences(), (_NOTE,))
    if memory.recalled() is not None:
        yield lambda: clean
        return

    def compare() -> Compared:
        with MadeByMigrations(migrations, runner, roles, chosen) as made:
            ours, theirs = _in_a_file(made.schema), _in_a_file(declared.schema)
            if differences(ours, theirs):
                ours = in_the_form_of(theirs, ours, made.reloaded)
        drift = differences(ours, theirs, clean.names)
        if not drift:
            memory.keep()
        return replace(clean, drift=drift)

    with DeclaredByFile(file, text, chosen) as declared:
        yield compare


def schema_file(migrations: Sequence[Migration], file: Path, roles: Path, major: int | None = None) -> str:
    """What ``file`` should be: a dump of all migrations, and their versions, in dbmate's form."""
    wanted = major or (_major(file) if file.is_file() else DEFAULT)
    with Scratch(wanted, roles=roles) as scratch:
        text = scratch.dump(scratch.migrated(migrations))
    versions = ",\n".join(f"    ('{migration.version}')" for migration in migrations)
    tail = "\n\n--\n-- Dbmate schema migrations\n--\n\n"
    insert = f"INSERT INTO public.schema_migrations (version) VALUES\n{versions};\n" if versions else ""
    text = text[text.index("\\restrict ") :]  # dbmate cuts the comment before it off, too
    return text.rstrip("\n") + "\n" + tail + insert


def _major(file: Path) -> int:
    found = major_of(characters.read(file))
    return found if found in SUPPORTED else DEFAULT


def _in_a_file(schema: Schema) -> Schema:
    return replace(schema, items=tuple(item for item in schema.items if _is_in_a_file(item)))


def _is_in_a_file(item: Item) -> bool:
    if item.subject in ("owner", "version") or item.subject.startswith(("privileges of ", "member ")):
        return False
    return not item.object.startswith(_NOT_IN_A_FILE)
