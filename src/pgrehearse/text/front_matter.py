"""Front matter of a document: title, parameters of a runbook, the database it wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters, recordings
from pgrehearse.text.options import ALWAYS, LANGUAGES, seconds
from pgrehearse.text.recordings import Recording
from pgrehearse.text.written_names import NameKind, UnreadableName, written

__all__ = ["Database", "FrontMatter", "Parameter", "read"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class Parameter:
    """A value a runbook takes. ``example`` is what rehearsals use; without ``default`` a run must be told.

    ``kind``: how a name in it may be written; where the author does not say, the value stays as it is.
    """

    name: str
    description: str
    example: str
    default: str | None = None
    kind: NameKind = NameKind.TEXT


@dataclass(frozen=True)
class Database:
    """What a document starts from: ``empty``, or the project's migrations and seed with ``rows`` rows."""

    empty: bool = False
    rows: int = 1000


@dataclass(frozen=True)
class FrontMatter:
    """What the YAML before a document says; the default of each field is what holds without it."""

    title: str = ""
    description: str = ""
    #: language of the notebook as jupytext will read it, "" where it would guess
    main_language: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    #: parameters of earlier versions, and why the runbook takes them no more: a value changes nothing
    former: Mapping[str, str] = field(default_factory=dict)
    database: Database = Database()
    #: why Roll back of a runbook cannot restore what was before; "" where it can
    undo: str = ""
    #: seconds the longest request may take while a runbook runs under traffic; None for no budget
    stall: float | None = None
    #: why a runbook makes requests of clients fail by design; "" where none may fail
    breaks: str = ""
    #: changes to record under live traffic, in an unsafe and in a safe way
    recordings: Mapping[str, Recording] = field(default_factory=dict)
    #: whether the blocks in bash are cells
    bash: bool = False
    #: programs that its cells start and a machine may lack: nothing is run then
    programs: tuple[str, ...] = ()
    #: number of lines the front matter takes, the two ``---`` included; 0 when there is none
    lines: int = 0

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the document's cells."""
        return LANGUAGES if self.bash else ALWAYS

    def examples(self) -> dict[str, str]:
        """Parameter values a rehearsal uses, as the cells expect them."""
        return {name: written(one.kind, one.example) for name, one in self.parameters.items()}


def read(text: str, path: Path) -> FrontMatter:
    """Read the front matter of ``text``. Raises DocumentError where a value has the wrong shape."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return FrontMatter()
    end = next((i for i in range(1, len(lines)) if lines[i].rstrip() in ("---", "...")), None)
    if end is None:
        return FrontMatter()
    import yaml  # 15 ms that commands without documents do not need

    from pgrehearse.text import plain_yaml

    source = "\n".join(lines[1:end])
    try:
        plain_yaml.check(source, path)
        data = yaml.safe_load(source) or {}
        written = yaml.load(source, yaml.BaseLoader) or {}  # noqa: S506 - knows no types but text
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-31
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        problem = str(getattr(error, "problem", None) or error)
        raise DocumentError(
            f"front matter is not YAML: {problem}",
            path=path,
            line=line,
            next_step="quote the value, or mend the indentation",
        ) from error
    if not isinstance(data, dict):
        raise DocumentError("front matter is not a mapping", path=path, line=1, next_step="write key: value")
    return _Reader(path, lines[: end + 1], written).front_matter(data)


class _Reader:
    """Turns the YAML into FrontMatter, and knows on which line a key stands for its messages."""

    def __init__(self, path: Path, lines: list[str], written: Any) -> None:
        self.path = path
        self.lines = lines
        self.written = written  # the same data, each value as the author wrote it

    def fail(self, key: str, message: str, fix: str) -> DocumentError:
        line = next((i for i, text in enumerate(self.lines, 1) if text.strip().startswith(f"{key}:")), 1)
        return DocumentError(message, path=self.path, line=line, next_step=fix)

    def front_matter(self, data: dict[str, Any]) -> FrontMatter:
        jupyter = data.get("jupyter") or {}
        jupytext = jupyter.get("jupytext") if isinstance(jupyter, dict) else None
        kernel = jupyter.get("kernelspec") if isinstance(jupyter, dict) else None
        if not all(isinstance(part or {}, dict) for part in (jupyter, jupytext, kernel)):
            raise self.fail(
                "jupyter", "jupyter is not a mapping of mappings", "write main_language below jupytext"
            )
        language = (jupytext or {}).get("main_language") or (kernel or {}).get("language") or ""
        return FrontMatter(
            title=self.text("title", data.get("title")),
            description=self.text("description", data.get("description")),
            main_language=str(language) if self.jupytext_reads() else "",
            parameters=self.parameters(data.get("parameters") or {}),
            former=self.former(data.get("former") or {}),
            database=self.database(data.get("database")),
            undo=self.text("undo", data.get("undo")),
            stall=self.stall(data.get("stall")),
            breaks=self.text("breaks", data.get("breaks")),
            recordings=recordings.read(data.get("recordings"), self.fail),
            bash=self.bash(data.get("bash")),
            programs=self.programs(data.get("programs")),
            lines=len(self.lines),
        )

    def jupytext_reads(self) -> bool:
        """jupytext finds its part by a line that is just ``jupyter:``; the form in braces it does not see."""
        return any(line.rstrip() == "jupyter:" for line in self.lines)

    def text(self, key: str, value: object) -> str:
        if isinstance(value, (dict, list)):
            raise self.fail(key, f"{key} is not text", "put it in quotes")
        return "" if value is None else str(value)

    def bash(self, data: object) -> bool:
        if data is None or isinstance(data, bool):
            return bool(data)
        raise self.fail("bash", "bash is not true or false", "write bash: true to execute bash blocks")

    def programs(self, data: object) -> tuple[str, ...]:
        words = [] if data is None else data
        if isinstance(words, list) and all(_PROGRAM.fullmatch(str(word)) for word in words):
            return tuple(map(str, words))
        raise self.fail("programs", "programs is no list of names", "write programs: [pgbouncer]")

    def stall(self, data: object) -> float | None:
        if data is None:
            return None
        try:
            return seconds(str(data))
        except ValueError as error:
            raise self.fail("stall", f"stall is not {error}", 'write stall: "250ms"') from None

    def parameters(self, data: object) -> dict[str, Parameter]:
        if not isinstance(data, dict):
            raise self.fail("parameters", "parameters is not a mapping", "write name: {description, example}")
        return {str(name): self.parameter(str(name), value) for name, value in data.items()}

    def parameter(self, name: str, data: object) -> Parameter:
        if not _NAME.fullmatch(name):
            raise self.fail(name, f"parameter name {name!r} is no identifier", "use lower-case words with _")
        if not isinstance(data, dict) or not {"description", "example"} <= set(data):
            raise self.fail(
                name, f"parameter {name!r} lacks a description or an example", "rehearsals need the example"
            )
        known = ("description", "kind", "example", "default")
        extra = set(data) - set(known)
        if extra:
            raise self.fail(
                name,
                f"parameter {name!r} has an unknown key {sorted(extra)[0]!r}",
                "known: " + ", ".join(known),
            )
        kind = self.kind(name, data.get("kind", NameKind.TEXT.value))
        for key in ("example", "default"):
            # YAML reads 010 as 8, 1.10 as 1.1 and yes as True: only what stays as written is a value.
            if key in data and str(data[key]) != self.written["parameters"].get(name, {}).get(key):
                raise self.fail(name, f"parameter {name!r}: {key} is not text", "put it in quotes")
            if found := characters.first(str(data.get(key, ""))):  # YAML knows escapes
                raise self.fail(name, f"parameter {name!r}: {key} holds {found.name}", "take it out")
            try:
                written(kind, str(data.get(key) or ""))
            except UnreadableName as error:
                raise self.fail(name, f"parameter {name!r}: {key}: {error}", error.fix) from None
        default = data.get("default")
        return Parameter(
            name,
            str(data["description"]),
            str(data["example"]),
            None if default is None else str(default),
            kind,
        )

    def kind(self, name: str, data: object) -> NameKind:
        try:
            return NameKind(data)
        except ValueError:
            known = ", ".join(one.value for one in NameKind)
            message = f"parameter {name!r} has an unknown kind {str(data)!r}"
            raise self.fail(name, message, f"known: {known}") from None

    def former(self, data: object) -> dict[str, str]:
        if not isinstance(data, dict) or not all(isinstance(why, str) and why for why in data.values()):
            raise self.fail("former", "former is no mapping of names to reasons", "write former: {name: why}")
        if both := set(map(str, data)) & set(self.written.get("parameters") or {}):
            name = sorted(both)[0]
            raise self.fail("former", f"{name!r} is a parameter, and a former one", "take one of them out")
        return {str(name): why for name, why in data.items()}

    def database(self, data: object) -> Database:
        if data is None:
            return Database()
        if data == "empty":
            return Database(empty=True, rows=0)
        if (
            isinstance(data, dict)
            and set(data) == {"rows"}
            and type(data["rows"]) is int
            and data["rows"] >= 0
        ):
            return Database(rows=data["rows"])
        raise self.fail("database", "database is neither `empty` nor `{rows: N}`", "write one of the two")
