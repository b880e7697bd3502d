"""Migrations in the layouts of tools other than dbmate, to be judged; nothing here applies them.

=================  =======================================================
golang-migrate     ``7_name.up.sql``, with ``7_name.down.sql`` beside it
goose, sql-migrate ``7_name.sql`` with the tool's marks; also node-pg-migrate
Supabase and such  ``7_name.sql`` without marks
Flyway             ``V7__name.sql``, ``V1.2__name.sql``
Prisma             ``7_name/migration.sql``
Drizzle            ``0007_name.sql`` with ``meta/_journal.json``, or as Prisma with ``snapshot.json``
Liquibase          ``7_name.sql`` of formatted SQL: a transaction for each changeset
diesel             ``name/up.sql`` with ``name/down.sql`` beside it
=================  =======================================================

A file without marks is one transaction, as these tools run it, unless one of its statements refuses that. Its
own BEGIN and COMMIT around everything say the same. Drizzle alone has no way out of its transaction.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters, migration_files
from pgrehearse.text.foreign_marks import up_part
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.migration_grammar import Section, declared, has_marks
from pgrehearse.text.split import SplitError, Statement, split
from pgrehearse.text.statement import Control, classify

__all__ = ["load", "programs", "run_again", "section", "version_of"]

#: Names of the files that are applied, within the folder; the version comes first.
_NAMES = (
    re.compile(r"(?P<version>\d+)[_-](?P<name>[^/]+?)\.up\.sql"),
    re.compile(r"[vV](?P<version>\d+(?:[._]\d+)*)__(?P<name>[^/]+)\.sql"),
    re.compile(r"(?P<version>\d[\d-]*)(?:_(?P<name>[^/]*))?/(?:migration|up)\.sql"),
    re.compile(r"(?P<version>\d+)[_-](?P<name>[^/]+?)(?<!\.down)\.sql"),
)
#: What undoes, or is run again each time: no migration that is applied once.
_BESIDE = re.compile(r"(?:.*[/.]|^)down\.sql|[uUrR]\d*[\d._]*__.*\.sql")


_PROGRAM = re.compile(r"[vV]?\d.*\.(?:rb|py|[cm]?[jt]s|go|java|kt|php|exs|cs|xml|ya?ml)")
_AGAIN = re.compile(r"[rR]__.*\.sql")


def run_again(folder: Path) -> list[str]:
    """Files of Flyway that it runs anew each time they change: they are no migrations here, so not judged."""
    names = (_within(path, folder) for path in folder.rglob("*.sql") if _AGAIN.fullmatch(path.name))
    return sorted(names)


def programs(folder: Path) -> list[str]:
    """Migrations beside those in SQL that are written in another language, so not judged."""
    return sorted(path.name for path in folder.glob("*") if _PROGRAM.fullmatch(path.name))


def load(folder: Path) -> list[Migration]:
    """The migrations of ``folder`` in their order, in whichever layout it has.

    Raises DocumentError: a file that is none, or cannot be read.
    """
    files = sorted(path for path in folder.rglob("*.sql") if not _BESIDE.fullmatch(_within(path, folder)))
    flat = [path for path in files if path.parent == folder and not _elsewhere(path.name)]
    if not files or any(has_marks(characters.read(path)) for path in flat):
        return migration_files.load(folder)
    found: dict[str, Migration] = {}
    for path in files:
        migration = _read(path, folder)
        if migration.version in found:
            message = f"{found[migration.version].label} has the same version"
            raise DocumentError(message, path=path, next_step="give one of them another number")
        found[migration.version] = migration
    return [found[version] for version in sorted(found)]


def version_of(name: str) -> str | None:
    """The version that a name within the folder says, in order as text; None for no migration."""
    if _BESIDE.fullmatch(name):
        return None
    match = next((match for one in _NAMES if (match := one.fullmatch(name))), None)
    if match is None:
        return None
    if match.re is _NAMES[3]:
        return match["version"]
    return ".".join(part.zfill(14) for part in re.split(r"[._-]", match["version"]) if part)


def section(text: str, path: Path) -> Section | None:
    """What ``path`` applies, if its text or its name is one of another tool; None for any other file."""
    marked = up_part(text)
    if marked is not None:
        return marked
    names = (path.name, f"{path.parent.name}/{path.name}")
    return _whole(text) if any(version_of(name) for name in names) else None


def _elsewhere(name: str) -> bool:
    """Whether the name alone says that it is no file of dbmate's."""
    return any(one.fullmatch(name) for one in _NAMES[:3])


def _within(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _read(path: Path, folder: Path) -> Migration:
    name = _within(path, folder)
    version = version_of(name)
    if version is None:
        raise DocumentError(
            "this name is that of no migration",
            path=path,
            next_step="known: 7_name.sql, 7_name.up.sql, V7__name.sql, 7_name/migration.sql, 7_name/up.sql",
        )
    text = characters.read(path)
    up = _drizzle(text) if _by_drizzle(path) else section(text, path) or _whole(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Migration(path, version, name, up, None, digest, tuple(declared(text)), foreign=True)


def _whole(text: str) -> Section:
    """All of a file; one that begins and ends several transactions is none itself."""
    try:
        found = split(text.replace("\r\n", "\n"))
    except SplitError:  # whoever sends it says where
        return Section(text, 1)
    kinds = [classify(one) for one in found]
    if any(kind.alone for kind in kinds):
        return Section(text, 1, transaction=False)
    ends = [at for at, kind in enumerate(kinds) if kind.control not in (None, Control.WITHIN)]
    whole = [kinds[at].control for at in ends] == [Control.OPENS, Control.CLOSES]
    if whole and ends == [0, len(kinds) - 1]:
        return Section(_bare(text, Statement.without_heading(found[0]).sql, found[-1].sql), 1)
    return Section(text, 1, transaction=not ends)


def _by_drizzle(path: Path) -> bool:
    return (path.parent / "meta" / "_journal.json").is_file() or (path.parent / "snapshot.json").is_file()


def _drizzle(text: str) -> Section:
    """All of a file in a transaction; one that ends it goes on without, until it begins the next."""
    found = _whole(text)
    if found.transaction:
        return found
    if not _controls(text):
        return Section(text, 1)
    return Section(f"BEGIN; {text.rstrip()}\n; COMMIT;\n", 1, transaction=False)


def _controls(text: str) -> bool:
    try:
        kinds = map(classify, split(text.replace("\r\n", "\n")))
        return any(kind.control not in (None, Control.WITHIN) for kind in kinds)
    except SplitError:  # whoever sends it says where
        return False


def _bare(text: str, first: str, last: str) -> str:
    """``text`` with blanks for its first and last statement: all else stays where it is."""
    begin, end = text.find(first), text.rfind(last)
    for at, sql in ((begin, first), (end, last)):
        stop = at + len(sql)
        semicolon = re.compile(r"\s*;").match(text, stop)
        stop = semicolon.end() if semicolon else stop
        text = text[:at] + re.sub(r"[^\n]", " ", text[at:stop]) + text[stop:]
    return text
