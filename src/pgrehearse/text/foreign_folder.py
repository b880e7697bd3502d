"""What lies in a folder of migrations: what is applied once, and what is not, with the reason in words.

Whoever looks at a folder shall see each file, or be told which ones nobody looked at: a folder in which
nothing is read must not look like one in which nothing is wrong.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters
from pgrehearse.text.foreign_settings import setting

__all__ = ["Folder", "contents", "refuse_unread", "said", "within"]

#: What undoes, and is read by no one who looks ahead.
_UNDOES = re.compile(r"(?:.*[/.]|^)down\.\w+|(?:.*/)?[uU]\d[\d._]*__[^/]*\.sql")
_AGAIN = re.compile(r"[rR]__.*\.sql")
_CALLBACK = re.compile(r"(?:before|after)[A-Z][A-Za-z]*(?:__.*)?\.sql|createSchema(?:__.*)?\.sql")
_PROGRAM = re.compile(r"[vV]?\d.*\.(?:rb|py|[cm]?[jt]s|go|java|kt|php|exs|cs|xml|ya?ml)")
#: Beside migrations in SQL it may be anything; alone it is what nobody would look at.
_LANGUAGE = re.compile(r"\.(?:rb|py|[cm]?[jt]s|go|java|kt|php|exs|cs|xml|ya?ml|json)")
_CHANGELOG = re.compile(r"\.(?:xml|ya?ml|json)")
#: SQL by another name than we and most tools read.
_NEARLY_SQL = re.compile(
    r".*\.(?:sql\.(?:gz|bz2|xz|zst|zip|tmpl|tpl|j2|erb|template)|[pP]g[sS][qQ][lL]|PGSQL|(?!sql$)[sS][qQ][lL]"
    r"|p?ddl|psql)|[vVrRbB]?\d*(?:__|_).*\.up\.(?!sql$|conf$)\w+"
)
_SKIPPED = ("node_modules", "__pycache__")
_TEXT = 1 << 20

AGAIN = "Flyway runs it at each change"
CALLBACK = "Flyway calls it beside the migrations, and what it sets is not seen"
PROGRAM = "no SQL"
CHANGELOG = "a changelog of Liquibase in another language than SQL"
NEARLY = "no name that ends in .sql"
LEFT_OUT = "its shouldExecute is false"
UNLISTED = "meta/_journal.json does not name it, so Drizzle does not apply it"


@dataclass(frozen=True)
class Folder:
    """``sql``: what may be a migration, by name; ``aside``: reason -> other files; ``undo``: down parts."""

    sql: tuple[Path, ...]
    aside: Mapping[str, Sequence[str]]
    undo: Sequence[str] = ()


def contents(folder: Path) -> Folder:
    """What lies in ``folder`` and below."""
    sql: list[Path] = []
    undo: list[str] = []
    aside: dict[str, list[str]] = {}
    listed = _journal(folder)
    for path in sorted(_walk(folder)):
        name = within(path, folder)
        if _UNDOES.fullmatch(name):
            undo.append(name)
            continue
        reason = _reason(path, listed)
        if reason:
            aside.setdefault(reason, []).append(name)
        elif path.suffix == ".sql":
            sql.append(path)
    return Folder(tuple(sql), aside, undo)


def within(path: Path, folder: Path) -> str:
    """The name of ``path`` within ``folder``."""
    return path.relative_to(folder).as_posix()


def said(aside: Mapping[str, Sequence[str]]) -> list[str]:
    """A line for each reason."""
    return [
        f"not judged, {reason}: {_some(names)}; try xray FILE"
        + (" with what they send" if reason in (PROGRAM, CHANGELOG) else "")
        for reason, names in aside.items()
    ]


def refuse_unread(folder: Path) -> None:
    """Raise DocumentError when ``folder`` holds what may be migrations: nothing of them would be seen."""
    languages = sorted(path for path in folder.glob("*") if _LANGUAGE.fullmatch(path.suffix))
    found = contents(folder)
    programs = [*(path.name for path in languages), *found.aside.get(PROGRAM, [])]
    if programs and not found.sql:
        raise DocumentError(
            f"{programs[0]}: migrations in another language than SQL are not read, and no other is here",
            path=folder,
            next_step="give what your tool sends to pgrehearse xray FILE, with --dsn or --schema for"
            " the state before: alembic upgrade --sql, sqlmigrate, the log of db:migrate",
        )
    names = [within(path, folder) for path in found.sql]
    names += [name for some in (*found.aside.values(), found.undo) for name in some]
    if names:
        raise DocumentError(
            f"{_some(names)}: nothing of this folder is read here",
            path=folder,
            next_step="pgrehearse db lint reads folders of other tools; the other commands want dbmate's:"
            " 20260105090000_create_wishlist_items.sql with `-- migrate:up` and `-- migrate:down`",
        )


def _walk(folder: Path) -> Iterator[Path]:
    for place, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".") and name not in _SKIPPED]
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _reason(path: Path, listed: frozenset[str] | None) -> str:
    """Why ``path`` is no migration that is applied once; empty for one that may be."""
    name = path.name
    if _AGAIN.fullmatch(name):
        return AGAIN
    if _CALLBACK.fullmatch(name):
        return CALLBACK
    if _PROGRAM.fullmatch(name):
        return PROGRAM
    if _CHANGELOG.fullmatch(path.suffix):
        return CHANGELOG if b"databaseChangeLog" in _begin(path) else ""
    if path.suffix != ".sql":
        return NEARLY if _NEARLY_SQL.fullmatch(name) else ""
    if setting(path, "shouldExecute") == "false":
        return LEFT_OUT
    return UNLISTED if listed is not None and path.stem not in listed else ""


def _journal(folder: Path) -> frozenset[str] | None:
    """What Drizzle's list of migrations names; None without one."""
    file = folder / "meta" / "_journal.json"
    if not file.is_file():
        return None
    try:
        entries = json.loads(characters.read(file)).get("entries")
        return None if entries is None else frozenset(str(entry["tag"]) for entry in entries)
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise DocumentError(
            "this is no list of migrations as Drizzle writes it", path=file, next_step="drizzle-kit generate"
        ) from error


def _begin(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_TEXT)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
