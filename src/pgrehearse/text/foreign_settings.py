"""What other tools keep beside a migration, or in its first lines, and what it does to the file.

=============  ====================================================================================
Flyway         ``V2__name.sql.conf``: ``executeInTransaction``, ``shouldExecute``; placeholders
diesel         ``metadata.toml``: ``run_in_transaction``
Atlas          ``-- atlas:txmode none``, ``-- atlas:delimiter``, ``-- atlas:checkpoint``
sqlx           ``-- no-transaction`` as the first words
goose          a semicolon at the end of a line ends a statement; ``-- +goose ENVSUB ON``
Liquibase      placeholders, ``--property``, ``endDelimiter``
=============  ====================================================================================
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pgrehearse.errors import DocumentError
from pgrehearse.text import characters
from pgrehearse.text.migration_grammar import Section
from pgrehearse.text.split import SplitError, split

__all__ = ["filled", "is_base", "own_transaction", "refuse_delimiter", "refuse_goose", "setting"]

_FLYWAY = re.compile(r"[vVbBrR]\d*[\d._]*__.*\.sql")
_FORMATTED = re.compile(r"\s*--[ \t]*liquibase[ \t]+formatted[ \t]+sql\b", re.I)
_PROPERTY = re.compile(r"^--[ \t]*property[ \t]+(?P<words>.*)$", re.M | re.I)
_WORD = re.compile(r"(?P<key>\w+):(?:\"(?P<quoted>[^\"]*)\"|(?P<plain>\S*))")
_ENVSUB = re.compile(r"^--[ \t]*\+goose[ \t]+ENVSUB[ \t]+ON\b", re.M | re.I)
_PLACEHOLDER = re.compile(r"\$\{(?P<name>[^}\s]+)\}")
_ATLAS = re.compile(r"^--[ \t]*atlas:(?P<key>\w+)(?:[ \t]+(?P<value>[^\n\r]*))?", re.M)
_MINE = re.compile(r"^[ \t]*--[ \t]*\+goose[ \t]+statement(?P<what>begin|end)\b", re.I)
_DOWN = re.compile(r"^--[ \t]*\+goose[ \t]+down[ \t\r]*$", re.M | re.I)
_DELIMITER = re.compile(r"^[ \t]*--[ \t]*changeset[^\n]*\bendDelimiter:[ \t]*(?P<value>\S+)", re.M | re.I)


def setting(path: Path, key: str) -> str:
    """What Flyway's file beside ``path`` says of ``key``; empty without a word."""
    for ending in (".conf", ".toml"):
        beside = path.with_name(path.name + ending)
        if beside.is_file():
            for line in characters.read(beside).splitlines():
                name, equals, value = line.partition("=")
                if equals and name.strip().removeprefix("flyway.") == key:
                    return value.strip().strip("\"'").lower()
    return ""


def own_transaction(path: Path, text: str) -> bool | None:
    """Whether ``path`` is one transaction, as its tool was told; None where nothing says so."""
    if _FLYWAY.fullmatch(path.name):
        return {"true": True, "false": False}.get(setting(path, "executeInTransaction"))
    if path.name == "up.sql":  # diesel
        return _of_diesel(path.with_name("metadata.toml"))
    if (path.parent / "atlas.sum").is_file():
        return _directives(text).get("txmode") != "none"
    return False if text.startswith(("-- no-transaction", "--no-transaction")) else None


def is_base(path: Path) -> bool:
    """Whether ``path`` stands for all files before it: a baseline of Flyway, a checkpoint of Atlas."""
    if re.fullmatch(r"[bB]\d[\d._]*__.*\.sql", path.name):
        return True
    atlas = (path.parent / "atlas.sum").is_file()
    return atlas and "checkpoint" in _directives(characters.read(path))


def refuse_delimiter(path: Path, text: str) -> None:
    """Raise DocumentError: the statements of the file end with something else than a semicolon."""
    found = _DELIMITER.search(text) if _FORMATTED.match(text) else None
    value = found["value"] if found else ""
    if (path.parent / "atlas.sum").is_file():
        value = _directives(text).get("delimiter", "")
    if value.strip("\"'") not in ("", ";"):
        raise DocumentError(
            f"its statements end with {value}, so where they end is not seen here",
            path=path,
            line=text.count("\n", 0, found.start()) + 1 if found else 1,
            next_step="end them with semicolons; in functions none is needed between the dollar quotes",
        )


def refuse_goose(path: Path, text: str, up: Section) -> None:
    """Raise DocumentError: goose refuses the file, or ends a statement elsewhere than PostgreSQL does."""
    if up.line > 1 and _DOWN.search("\n".join(text.split("\n")[: up.line - 1])):
        raise DocumentError(
            "goose wants the up part first",
            path=path,
            line=up.line - 1,
            next_step="put it above the down part",
        )
    lines = up.sql.replace("\r\n", "\n").split("\n")
    held = _held(lines)
    try:
        found = split("\n".join(lines))
    except SplitError:  # whoever sends it says where
        return
    for statement in found:
        first, last = statement.line - 1, statement.line - 1 + statement.sql.count("\n")
        for at in range(first, last):
            if at not in held and _ends(lines[at]):
                raise DocumentError(
                    "goose ends a statement at a semicolon at the end of a line, and cuts this one",
                    path=path,
                    line=up.line + at,
                    next_step="put it between `-- +goose StatementBegin` and `-- +goose StatementEnd`",
                )
    rest = found[-1] if found else None
    at = rest.line - 1 + rest.sql.count("\n") if rest else 0
    if rest and at not in held and not any(";" in line for line in lines[at:]):
        raise DocumentError(
            "goose refuses a last statement without a semicolon",
            path=path,
            line=up.line + at,
            next_step="end it with one",
        )


def filled(path: Path, text: str, placeholders: Mapping[str, str]) -> str:
    """``text`` with what its tool puts for placeholders. Raises DocumentError: one is not known."""
    formatted = _FORMATTED.match(text) is not None
    if not (formatted or _FLYWAY.fullmatch(path.name) or _ENVSUB.search(text)):
        return text
    known = {**(_properties(text) if formatted else {}), **placeholders}

    def put(found: re.Match[str]) -> str:
        if found["name"] in known:
            return known[found["name"]]
        if "--" in text[text.rfind("\n", 0, found.start()) + 1 : found.start()]:
            return found[0]  # in a comment
        raise DocumentError(
            f"what your tool puts for {found[0]} is not known here",
            path=path,
            line=text.count("\n", 0, found.start()) + 1,
            next_step=f'say it in pyproject.toml: [tool.pgrehearse.placeholders] "{found["name"]}" = "..."',
        )

    return _PLACEHOLDER.sub(put, text)


def _properties(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _PROPERTY.finditer(text):
        words = {word["key"]: word["quoted"] or word["plain"] for word in _WORD.finditer(line["words"])}
        if "name" in words and "postgresql" in words.get("dbms", "postgresql"):
            found.setdefault(words["name"], words.get("value", ""))
    return found


def _directives(text: str) -> dict[str, str]:
    """What Atlas is told in the comments that a file begins with."""
    head = []
    for line in text.split("\n"):
        if line.strip() and not line.startswith("--"):
            break
        head.append(line)
    return {one["key"]: (one["value"] or "").strip() for one in _ATLAS.finditer("\n".join(head))}


def _of_diesel(file: Path) -> bool:
    if not file.is_file():
        return True
    try:
        return tomllib.loads(characters.read(file)).get("run_in_transaction", True) is not False
    except tomllib.TOMLDecodeError as error:
        raise DocumentError(f"not TOML: {error}", path=file, next_step="mend the file") from error


def _held(lines: list[str]) -> set[int]:
    """Numbers of the lines between goose's marks of a statement."""
    return set(_between(lines))


def _between(lines: list[str]) -> Iterator[int]:
    within = False
    for at, line in enumerate(lines):
        if mark := _MINE.match(line):
            within = mark["what"].lower() == "begin"
        if within:
            yield at


def _ends(line: str) -> bool:
    """Whether goose ends a statement here: its last word before a comment ends with a semicolon."""
    last = ""
    for word in line.split():
        if word.startswith("--"):
            break
        last = word
    return last.endswith(";")
