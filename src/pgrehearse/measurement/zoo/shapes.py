"""The files of the folder ``zoo/``: one a shape, SQL with a head in TOML.

    /*
    title = "A json column"
    column = "payload"              a name that fillings use, see `fillings`
    [column-change-type]            parameters of one runbook, where the fillings do not fit
    type = "jsonb"
    */
    -- [set up]      made once, by a superuser as the owner of the tables
    -- [copy]        in each copy again, as a superuser: what does not go along with a copy
    -- [session]     what each session of the application begins with
    -- [traffic]     its requests, one statement each; :n is the number of the round
    -- [holds]       questions with one answer, true, before and after any runbook
    -- [subscriber]  what a database does that subscribes to zoo_publication, before it does

``base.sql`` has the same form. A shape begins with all of it, unless its head says ``base = false``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgrehearse.errors import DocumentError
from pgrehearse.text.project import Project
from pgrehearse.text.split import SplitError, split

__all__ = ["SECTIONS", "Shape", "folder", "shapes_of"]

SECTIONS = ("set up", "copy", "session", "traffic", "holds", "subscriber")
_HEAD = re.compile(r"/\*\n(.*?)^\*/\n", re.DOTALL | re.MULTILINE)
_SECTION = re.compile(r"^-- \[([a-z ]+)\]\n", re.MULTILINE)
_BASE = "base"


@dataclass(frozen=True)
class Shape:
    """A table of a kind.

    Attributes:
        title: what is special, in a sentence without a period.
        names: what fillings use: the table, a column of it, ...
        parameters: of a runbook, by its name: those that the fillings would give wrongly.
        settings: of the owner in the database: ``statement_timeout = "100ms"``.
        subscriber: whether a database subscribes to each copy.
        majors: the servers that can hold it; empty for all.
        sections: the statements of each section.
        text: of the file and of what it begins with.
    """

    name: str
    path: Path
    title: str
    names: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, str]]
    settings: Mapping[str, str]
    majors: tuple[int, ...]
    subscriber: bool
    sections: Mapping[str, tuple[str, ...]]
    text: str

    def on(self, major: int) -> bool:
        """Whether a server of ``major`` can hold it."""
        return not self.majors or major in self.majors


def folder(project: Project) -> Path:
    """Where the shapes of ``project`` are."""
    return project.root / "zoo"


def shapes_of(project: Project) -> list[Shape]:
    """All shapes of ``project``, by name. Raises DocumentError for a file that is none."""
    place = folder(project)
    base = _read(place / f"{_BASE}.sql") if (place / f"{_BASE}.sql").is_file() else None
    files = [path for path in sorted(place.glob("*.sql")) if path.stem != _BASE]
    return [_shape(path, base) for path in files]


@dataclass(frozen=True)
class _File:
    head: dict[str, Any]
    sections: dict[str, tuple[str, ...]]
    text: str


def _shape(path: Path, base: _File | None) -> Shape:
    own = _read(path)
    head = dict(own.head)
    begins = base if base is not None and head.pop("base", True) else None
    title, settings, majors = head.pop("title", ""), head.pop("settings", {}), head.pop("majors", [])
    if not title or not isinstance(title, str):
        raise _wrong(path, 'its head has no title: write title = "What is special about the table"')
    subscriber = head.pop("subscriber", False)
    named = {**(begins.head if begins else {}), **head}
    names = {key: value for key, value in named.items() if isinstance(value, str)}
    parameters = {key: value for key, value in named.items() if isinstance(value, dict)}
    odd = sorted(set(named) - set(names) - set(parameters))
    odd += sorted(k for table in (settings, *parameters.values()) for k in table if type(table[k]) is not str)
    if odd:
        raise _wrong(path, f"{odd[0]} is no text in quotes")
    sections = {name: (begins.sections[name] if begins else ()) + own.sections[name] for name in SECTIONS}
    return Shape(
        path.stem,
        path,
        title,
        names,
        parameters,
        settings,
        tuple(majors),
        bool(subscriber),
        sections,
        (begins.text if begins else "") + own.text,
    )


def _read(path: Path) -> _File:
    text = path.read_text(encoding="utf-8")
    head = _HEAD.match(text)
    if head is None:
        raise _wrong(path, "it does not begin with a head in TOML between /* and */")
    try:
        data = tomllib.loads(head[1])
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, f"its head is no TOML: {error}") from None
    before, *rest = _SECTION.split(text[head.end() :])
    if before.strip():
        raise _wrong(path, "there is text before the first section")
    sections: dict[str, tuple[str, ...]] = dict.fromkeys(SECTIONS, ())
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        if name not in SECTIONS or sections[name]:
            raise _wrong(path, f"the section [{name}] is unknown or stands twice")
        try:
            sections[name] = tuple(statement.sql for statement in split(body))
        except SplitError as error:
            raise _wrong(path, f"in [{name}]: {error.message}") from None
    return _File(data, sections, text)


def _wrong(path: Path, message: str) -> DocumentError:
    return DocumentError(message, path=path, next_step=f"sections are {', '.join(SECTIONS)}; see other files")
