"""What a check found wrong: one record for all checks, and its forms.

text        for people: ``path:line: message``, then what shows it, and what to do next
json        one object for each finding
sarif       SARIF 2.1.0, as code scanning takes it
github      workflow commands, which GitHub shows as annotations of a change

Sources: OASIS SARIF 2.1.0 (sections 3.14 to 3.49) and what GitHub asks of an upload; the escapes of workflow
commands are those of actions/toolkit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

__all__ = ["FORMATS", "Finding", "Place", "Severity", "indented", "location", "written"]

FORMATS = ("text", "json", "sarif", "github")
#: Code scanning shows nothing that has no file: what has none is shown at the settings of the project.
_NO_FILE = "pyproject.toml"
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: A path as readers know it, such as relative to the root of the repository.
Place = Callable[[Path], str]
_LONG = 120  # characters of a statement on its line of the text form


class Severity(StrEnum):
    """What a finding is worth. Nothing decides by it but the level in SARIF and annotations."""

    HAZARD = "hazard"  # somebody waits, or data goes
    POLICY = "policy"  # a rule was agreed, and this breaks it
    HYGIENE = "hygiene"  # readers and other programs suffer, nothing that runs


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        message: what is wrong, in a sentence without a period.
        path: the file; None where there is none.
        line: 1-based in ``path``; 0 for the whole file.
        kind: which family of checks found it, such as ``lint`` or ``policy``.
        check: its name within the family, as people write it; empty where the family is one check.
        about: what the message speaks of, such as an object; said before it where it does not say so itself.
        statement: the statement that does it.
        detail: what shows it: the facts that were measured, a diff, PostgreSQL's own text.
        next_step: what to do now.
        page: page of the handbook with the safe way, ``section`` the place on it.
        sqlstate: the error that was raised, if one was.
    """

    message: str
    path: Path | None = None
    line: int = 0
    _: KW_ONLY
    kind: str
    check: str = ""
    about: str = ""
    statement: str = ""
    detail: str = ""
    next_step: str = ""
    page: str = ""
    section: str = ""
    sqlstate: str = ""
    severity: Severity = Severity.POLICY

    @property
    def rule(self) -> str:
        """Family and check, such as ``lint/header``: the name of the rule for other programs."""
        return f"{self.kind}/{self.check}" if self.check else self.kind

    @property
    def said(self) -> str:
        """The sentence, without the place."""
        about = f"{self.about}: " if self.about and self.about not in self.message else ""
        return f"{about}{self.message}" + (f" [{self.check}]" if self.check not in about else "")

    def place(self, known_as: Place) -> str | None:
        """The path as readers know it; None without one."""
        return known_as(self.path) if self.path is not None else None

    def head(self, known_as: Place = str) -> str:
        """``path:line: message``."""
        where = location(self.place(known_as), self.line)
        return f"{where}: {self.said}" if where else self.said

    def text(self, known_as: Place = str) -> str:
        """The head, and a line each for the statement, what was measured, the next step and the page."""
        return "\n".join([self.head(known_as), *self._below()])

    def report(self, known_as: Place = str) -> str:
        """The head, then statement and detail as they are, line by line, and the next step."""
        blocks = [indented(part) for part in (self.statement, self.detail) if part]
        following = [f"  next: {self.next_step}"] if self.next_step else []
        return "\n".join([self.head(known_as), *blocks, *following])

    def to_json(self, known_as: Place = str) -> dict[str, Any]:
        """JSON types only; null for what is not known."""
        return {
            "path": self.place(known_as),
            "line": self.line or None,
            "rule": self.rule,
            "severity": str(self.severity),
            "message": self.message,
            "about": self.about or None,
            "statement": self.statement or None,
            "detail": self.detail or None,
            "sqlstate": self.sqlstate or None,
            "next": self.next_step or None,
            "page": self.page or None,
        }

    def _below(self) -> list[str]:
        flat = " ".join(self.statement.split())
        page = f"{self.page}, {self.section}" if self.section else self.page
        lines = (
            ("statement", flat if len(flat) <= _LONG else flat[: _LONG - 4] + " ..."),
            ("measured", self.detail),
            ("next", self.next_step),
            ("see", page),
        )
        return [f"  {name}: {value}" for name, value in lines if value]


def indented(text: str) -> str:
    """``text`` as it stands below the line that it belongs to."""
    return "\n".join("    " + line for line in text.split("\n"))


def location(path: Path | str | None, line: int | None) -> str:
    """``path:line``, ``path``, or the empty string."""
    if path is None or path == "":
        return ""
    return f"{path}:{line}" if line else str(path)


def written(form: str, findings: Sequence[Finding], known_as: Place) -> str:
    """``findings`` in one of `FORMATS`; ``known_as`` gives a path relative to the root of the repository."""
    if form == "json":
        return json.dumps({"findings": [finding.to_json(known_as) for finding in findings]}, indent=2)
    if form == "sarif":
        return json.dumps(_sarif(findings, known_as), indent=2)
    one = _annotation if form == "github" else Finding.text
    return "\n".join(one(finding, known_as) for finding in findings)


# --- SARIF ----------------------------------------------------------------------------------------------


def _sarif(findings: Sequence[Finding], known_as: Place) -> dict[str, Any]:
    from importlib.metadata import version  # every command would pay for it, 30 ms

    first = {finding.rule: finding for finding in reversed(findings)}
    rules = sorted(first)
    driver = {
        "name": "pgrehearse",
        "version": version("pgrehearse"),
        "rules": [_descriptor(rule, first[rule]) for rule in rules],
    }
    results = [_result(finding, finding.place(known_as), rules.index(finding.rule)) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(rule: str, example: Finding) -> dict[str, Any]:
    """A rule that was broken; GitHub wants all three texts."""
    said = {"text": example.about if example.check and example.check in example.about else rule}
    see = f"see {example.page}" if example.page else ""
    advice = "; ".join(part for part in (example.next_step, see) if part)
    return {"id": rule, "shortDescription": said, "fullDescription": said, "help": {"text": advice or rule}}


def _result(finding: Finding, path: str | None, rule: int) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(path or _NO_FILE)}
    if path and finding.line:
        physical["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _level(finding),
        "message": {"text": _whole(finding)},
        "locations": [{"physicalLocation": physical}],
        "properties": {"severity": str(finding.severity)},
    }


def _artifact(path: str) -> dict[str, str]:
    if path.startswith("/"):
        return {"uri": f"file://{quote(path)}"}
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _level(finding: Finding) -> str:
    return "warning" if finding.severity is Severity.HYGIENE else "error"


def _whole(finding: Finding) -> str:
    """All that is known, without the place. A detail may have many lines, and stands as it is."""
    short = replace(finding, detail="")
    return "\n".join([short.said, *filter(None, [finding.detail]), *map(str.strip, short._below())])


# --- annotations ----------------------------------------------------------------------------------------


def _annotation(finding: Finding, known_as: Place) -> str:
    path = finding.place(known_as)
    given = {"file": path, "line": str(finding.line) if path and finding.line else "", "title": finding.rule}
    values = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in given.items() if value)
    return f"::{_level(finding)} {values}::{_escaped(_whole(finding))}"


def _escaped(text: str, also: str = "") -> str:
    """No value may end its command or its property: a line end or a comma would begin another one."""
    for char in "%\r\n" + also:
        text = text.replace(char, f"%{ord(char):02X}")
    return text
