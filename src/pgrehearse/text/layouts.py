"""Migrations in the layouts of tools other than dbmate, to be judged; nothing here applies them.

=================  =======================================================
golang-migrate     ``7_name.up.sql``, with ``7_name.down.sql`` beside it; also sqlx
goose, sql-migrate ``7_name.sql`` with the tool's marks; also node-pg-migrate
Supabase and such  ``7_name.sql`` without marks
Atlas              ``7_name.sql``, ``7.sql`` with ``atlas.sum``
Flyway             ``V7__name.sql``, ``V1.2__name.sql``, below any folder
Prisma             ``7_name/migration.sql``
Drizzle            ``0007_name.sql`` with ``meta/_journal.json``, or as Prisma with ``snapshot.json``
Liquibase          ``7_name.sql`` of formatted SQL: a transaction for each changeset
diesel             ``name/up.sql`` with ``name/down.sql`` beside it
=================  =======================================================

A file without marks is one transaction, as these tools run it, unless one of its statements refuses that;
what a tool keeps beside it may say otherwise, see `foreign_settings`. Its own BEGIN and COMMIT around
everything say the same. Drizzle alone has no way out of its transaction.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters, migration_files
from pgrehearse.text.foreign_folder import contents, refuse_unread, said, within
from pgrehearse.text.foreign_marks import formatted, goose, up_part
from pgrehearse.text.foreign_settings import filled, is_base, own_transaction, refuse_delimiter, refuse_goose
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.migration_grammar import Section, declared, has_marks
from pgrehearse.text.split import SplitError, Statement, split
from pgrehearse.text.statement import Control, Kind, classify

__all__ = ["load", "padded", "section", "text_of", "unjudged", "version_of"]

#: Names of the files that are applied, within the folder; the version comes first.
_NAMES = (
    re.compile(r"(?P<version>\d+)[_-](?P<name>[^/]+?)\.up\.sql"),
    re.compile(r"(?:[^/]+/)*[vVbB](?P<version>\d+(?:[._]\d+)*)__(?P<name>[^/]+)\.sql"),
    re.compile(r"(?P<version>\d[\d-]*)(?:_(?P<name>[^/]*))?/(?:migration|up)\.sql"),
    re.compile(r"(?P<version>\d+)(?:[_-](?P<name>[^/]+?))?(?<!\.down)\.sql"),
)
_FLYWAY = _NAMES[1]
_MIXED = "Flyway refuses such a mixture, unless flyway.mixed is true"
_ONE_MESSAGE = (
    "golang-migrate, sqlx, diesel and Prisma before 7.4 send both as one message,"
    " and that is a transaction again"
)
_BASE = "stands for all that came before it, on an empty database"


def unjudged(folder: Path, migrations: Collection[Migration]) -> list[str]:
    """Which files of ``folder`` are none of ``migrations``, and why: a line for each reason."""
    found = contents(folder)
    taken = {one.path for one in migrations}
    left = [path for path in found.sql if path not in taken]
    aside = {reason: list(names) for reason, names in found.aside.items()}
    for path in left:
        reason = _BASE if is_base(path) else "in a folder below"
        aside.setdefault(reason, []).append(within(path, folder))
    return said(aside)


def load(folder: Path, placeholders: Mapping[str, str] | None = None) -> list[Migration]:
    """The migrations of ``folder`` in their order, in whichever layout it has.

    ``placeholders``: what a tool puts for ``${name}``.

    Raises DocumentError: a file that is none, or cannot be read.
    """
    files = contents(folder).sql
    flat = [path for path in files if path.parent == folder and not _elsewhere(path.name)]
    if not files:
        refuse_unread(folder)
    if not files or any(has_marks(_readable(path)[0]) for path in flat):
        return migration_files.load(folder)
    read = sorted((_read(path, folder, placeholders or {}) for path in files), key=lambda one: one.version)
    found: dict[str, Migration] = {}
    for migration in _from_base(read):
        if migration.version in found:
            message = f"{found[migration.version].label} has the same version"
            raise DocumentError(message, path=migration.path, next_step="give one of them another number")
        found[migration.version] = migration
    return list(found.values())


def _from_base(read: list[Migration]) -> list[Migration]:
    """``read``, in order, with one file at most that stands for those before it: those are not here."""
    bases = [one for one in read if is_base(one.path)]
    first = min((one.version for one in read if one not in bases), default="~")
    usable = [one for one in bases if one.version < first][-1:]
    return [one for one in read if one not in bases or one in usable]


def version_of(name: str) -> str | None:
    """The version that a name within the folder says, in order as text; None for no migration."""
    match = next((match for one in _NAMES if (match := one.fullmatch(name))), None)
    if match is None:
        return None
    if match.re is _NAMES[3]:
        return match["version"]
    return ".".join(part.zfill(14) for part in re.split(r"[._-]", match["version"]) if part)


def section(text: str, path: Path, placeholders: Mapping[str, str] | None = None) -> Section | None:
    """What ``path`` applies, if its text or its name is one of another tool; None for any other file.

    Raises DocumentError: what it applies cannot be seen.
    """
    names = (path.name, f"{path.parent.name}/{path.name}")
    if up_part(text) is None and not any(version_of(name) for name in names):
        return None
    return _up(filled(path, text, placeholders or {}), path)


def _elsewhere(name: str) -> bool:
    """Whether the name alone says that it is no file of dbmate's."""
    return any(one.fullmatch(name) for one in _NAMES[:3])


def _read(path: Path, folder: Path, placeholders: Mapping[str, str]) -> Migration:
    name = within(path, folder)
    version = version_of(name)
    if version is None:
        raise DocumentError(
            "this name is that of no migration",
            path=path,
            next_step="known: 7_name.sql, 7_name.up.sql, V7__name.sql, 7_name/migration.sql, 7_name/up.sql",
        )
    text, refused = _readable(path)
    data = b"" if refused is None else _first_of(path)
    up, joined = Section(text, 1), ""
    try:
        if refused is None:
            up = _up(filled(path, text, placeholders), path)
            joined = _joined(path, up)
    except DocumentError as error:
        refused = error
    # What stands beside the file is a part of what is applied, and of what may be remembered of it.
    digest = hashlib.sha256(repr((text, up, str(refused or ""))).encode() + data).hexdigest()
    return Migration(
        path,
        padded(version),
        name,
        up,
        None,
        digest,
        tuple(declared(text)),
        foreign=True,
        refused=refused,
        joined=joined,
    )


def _joined(path: Path, up: Section) -> str:
    """What becomes of two statements of a file outside a transaction; empty where each is sent by itself."""
    if _FLYWAY.fullmatch(path.name):
        kinds = _kinds(up.sql)
        mixed = any(kind.alone for kind in kinds) and not all(kind.alone for kind in kinds)
        return _MIXED if mixed else ""
    if up_part(text_of(path)) is not None or (path.parent / "atlas.sum").is_file():
        return ""
    return _ONE_MESSAGE


def padded(version: str) -> str:
    """``version`` so that as text it stands where it stands as a number."""
    return version.zfill(14)


def text_of(path: Path) -> str:
    """The text of a file. Flyway and Liquibase read over a byte order mark, so it is none of it."""
    if path.suffix == ".sql" and path.is_file():  # a pipe is read once
        data = characters.raw(path)
        bare = data.removeprefix(b"\xef\xbb\xbf")
        if bare != data and (_FLYWAY.fullmatch(path.name) or formatted(bare.decode("utf-8", "replace"))):
            return characters.decoded(bare, path)
        return characters.decoded(data, path)
    return characters.read(path)


def _readable(path: Path) -> tuple[str, DocumentError | None]:
    """The text of a file, or why it cannot be read: one applied long ago must not stop the others."""
    try:
        return text_of(path), None
    except DocumentError as error:
        return "", error


def _first_of(path: Path) -> bytes:
    """What was read of a file that cannot be, so that another one in its place is another one."""
    try:
        return characters.raw(path)
    except DocumentError:
        return b""


def _up(text: str, path: Path) -> Section:
    """What the file applies. Raises DocumentError: it cannot be seen, or its tool would refuse the file."""
    if _by_drizzle(path):
        return _drizzle(text)
    refuse_delimiter(path, text)
    marked = up_part(text)
    if marked is not None:
        if goose(text):
            refuse_goose(path, text, marked)
        return marked
    found, own = _whole(text), own_transaction(path, text)
    if own is None or _controls(text):
        return found
    return replace(found, transaction=own)


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
    return any(kind.control not in (None, Control.WITHIN) for kind in _kinds(text))


def _kinds(text: str) -> list[Kind]:
    try:
        return [classify(one) for one in split(text.replace("\r\n", "\n"))]
    except SplitError:  # whoever sends it says where
        return []


def _bare(text: str, first: str, last: str) -> str:
    """``text`` with blanks for its first and last statement: all else stays where it is."""
    begin, end = text.find(first), text.rfind(last)
    for at, sql in ((begin, first), (end, last)):
        stop = at + len(sql)
        semicolon = re.compile(r"\s*;").match(text, stop)
        stop = semicolon.end() if semicolon else stop
        text = text[:at] + re.sub(r"[^\n]", " ", text[at:stop]) + text[stop:]
    return text
