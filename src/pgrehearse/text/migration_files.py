"""Migration files in dbmate's layout: ``-- migrate:up`` and ``-- migrate:down`` sections of plain SQL."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from pgrehearse.errors import DocumentError

__all__ = ["Migration", "Section", "load"]

_MARK = re.compile(r"^-- migrate:(?P<side>up|down)(?P<options>[^\n]*)$", re.M)
_NAME = re.compile(r"(?P<version>\d+)_(?P<name>[\w-]+)\.sql")


@dataclass(frozen=True)
class Section:
    """The SQL of one direction. ``line`` is the line of the file on which ``sql`` starts."""

    sql: str
    line: int
    transaction: bool = True


@dataclass(frozen=True)
class Migration:
    """One migration file. ``version`` is the digits its name starts with; ``sha256`` that of its bytes."""

    path: Path
    version: str
    name: str
    up: Section
    down: Section | None
    sha256: str


def load(folder: Path) -> list[Migration]:
    """The migrations of ``folder`` in order of version; none when there is no such folder."""
    found: dict[str, Migration] = {}
    for file in sorted(folder.glob("*.sql")):
        migration = _read(file)
        if migration.version in found:
            message = f"{found[migration.version].path.name} has the same version"
            raise DocumentError(message, path=file, next_step="give one of them another number")
        found[migration.version] = migration
    return [found[version] for version in sorted(found)]


def _read(file: Path) -> Migration:
    name = _NAME.fullmatch(file.name)
    if not name:
        raise DocumentError(
            "a migration's name is digits, an underscore, words",
            path=file,
            next_step="rename it, such as 20260105090000_create_wishlist_items.sql",
        )
    try:
        data = file.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        text = data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DocumentError("not UTF-8", path=file, line=line, next_step="save the file as UTF-8") from error
    marks = list(_MARK.finditer(text))
    sections: dict[str, Section] = {}
    for mark, following in zip_longest(marks, marks[1:]):
        end = following.start() if following else len(text)
        line = text.count("\n", 0, mark.start()) + 1
        if mark["side"] in sections:
            message = f"a second `-- migrate:{mark['side']}` line: its statements would never run"
            raise DocumentError(message, path=file, line=line, next_step="join the two sections")
        transaction = "transaction:false" not in mark["options"].split()
        body = text[mark.end() : end]
        line += len(body) - len(body.lstrip("\n"))
        sections[mark["side"]] = Section(body.strip("\n"), line, transaction)
    if "up" not in sections:
        raise DocumentError(
            "no `-- migrate:up` line", path=file, line=1, next_step="start the section with that line"
        )
    return Migration(file, name["version"], name["name"], sections["up"], sections.get("down"), digest)
