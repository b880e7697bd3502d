"""What a page shows does not depend on who is faster: a limit cuts nothing short that had to come first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pgrehearse.text.document import Document, load, parse

ROOT = Path(__file__).parents[2]
#: Seconds that whatever has to come before a limit has at least. A busy machine is no fault.
LEAST = 2.0
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "": 0.001}
_LIMITS = r"(statement_timeout|transaction_timeout|idle_in_transaction_session_timeout)"
_SET = re.compile(
    rf"\b(?:SET(?: LOCAL)? {_LIMITS}\s*(?:=|TO)\s*'?(\d+)\s*(ms|s|min|)'?|RESET {_LIMITS})", re.I
)
_OF_DATABASE = re.compile(rf"ALTER (?:DATABASE|ROLE)\b.*?\b{_LIMITS}\b.*?'(\d+)(ms|s|min)'", re.I | re.S)
#: What leaves something when it is cut short, if it came far enough. lock_timeout cuts it where it waits.
_LEAVES = re.compile(r"\bCONCURRENTLY\b|\bCALL\b|\bCOMMIT\b", re.I)
#: Statements that end by the limit, and leave nothing.
_CUT = ("57014", "25P04")
_SHORT_SLEEP = re.compile(r"pg_sleep\((\d*\.?\d+)\)")


def _short(number: str, unit: str) -> bool:
    return 0 < int(number) * _UNITS[unit.lower()] < LEAST


def _of_session(document: Document) -> list[str]:
    """Cells that have to do something before a short limit of their session comes."""
    found, everywhere, sessions = [], "", dict[str, dict[str, bool]]()
    for cell in document.cells:
        if cell.language != "sql":
            continue
        limits = sessions.setdefault(cell.options.session, {})
        for match in _SET.finditer(cell.source):
            name = (match[1] or match[4]).lower()
            limits[name] = match[1] is not None and _short(match[2], match[3])
            after = cell.source[match.end() :].lstrip("'; \n")
            if name.startswith("idle") and limits[name] and after:
                found.append(f"{cell.line}: {name} before other statements")
        if match := _OF_DATABASE.search(cell.source):
            everywhere = "short" if _short(match[2], match[3]) else ""
        ends = cell.options.expect in _CUT
        short = any(value for name, value in limits.items() if not name.startswith("idle")) or bool(
            everywhere
        )
        if short and (_LEAVES.search(cell.source) or not ends) and not match:
            found.append(f"{cell.line}: has to come far enough within a short limit")
        if "SET LOCAL" in cell.source:  # it goes with the error
            limits.clear()
    return found


def _of_program(document: Document) -> list[str]:
    """Python cells whose session has a short limit, or sleeps so shortly that who looks may miss it."""
    found = []
    for cell in document.cells:
        if cell.language == "python":
            short = [match for match in _SET.finditer(cell.source) if match[1] and _short(match[2], match[3])]
            found += [f"{cell.line}: {match[0]}" for match in short]
            sleeps = _SHORT_SLEEP.finditer(cell.source)
            found += [f"{cell.line}: {match[0]}" for match in sleeps if 0 < float(match[1]) < LEAST]
    return found


def found(text: str) -> list[str]:
    document = parse(text, Path("x.md"))
    return [*_of_session(document), *_of_program(document)]


def cell(*lines: str, options: str = "", language: str = "sql") -> str:
    return f"```{language} {options}".rstrip() + "\n" + "\n".join(lines) + "\n```\n\n"


BUILD = "CREATE INDEX CONCURRENTLY i ON t (a);"
EVERYWHERE = (
    "SELECT format('ALTER DATABASE %I SET statement_timeout = %L', current_database(), '{}')\n\\gexec"
)


@pytest.mark.parametrize(
    "text",
    [
        cell("SET statement_timeout = '300ms';", BUILD, options='expect="57014"'),
        cell("SET statement_timeout = 300;", BUILD, options='expect="57014"'),
        cell("SET statement_timeout = '1s';") + cell("SELECT 1;"),
        cell("SET transaction_timeout TO '200ms';", "CALL batches();", options='expect="25P04"'),
        cell(EVERYWHERE.format("300ms")) + cell("SELECT 1;", options='session="app"'),
        cell("SET idle_in_transaction_session_timeout = '100ms';", "BEGIN;"),
        cell("s.execute(\"SET transaction_timeout = '200ms'\")", language="python"),
        cell('s.execute("SELECT pg_sleep(0.5)")', language="python"),
    ],
)
def test_a_race_is_found(text: str) -> None:
    assert found(text), text


@pytest.mark.parametrize(
    "text",
    [
        cell("SET lock_timeout = '100ms';", BUILD, options='expect="55P03"'),
        cell("SET statement_timeout = '2s';", BUILD, options='expect="57014"'),
        cell("SET statement_timeout = '5ms';", "VACUUM FULL t;", options='expect="57014"'),
        cell("SET statement_timeout = '5ms';", "SELECT 1;", options='expect="57014"')
        + cell("SET statement_timeout = 0;", "SELECT 1;"),
        cell("SET statement_timeout = '5ms';", options='expect="57014"') + cell("RESET statement_timeout;"),
        cell(EVERYWHERE.format("2s")) + cell("SELECT 1;", options='session="app"'),
        cell("SET LOCAL statement_timeout = '5ms';", "SELECT 1;", options='expect="57014"')
        + cell("ROLLBACK;"),
        cell("BEGIN;", "SET idle_in_transaction_session_timeout = '100ms';"),
        cell('s.execute("SELECT pg_sleep(60)")', language="python"),
    ],
)
def test_others_are_not(text: str) -> None:
    assert found(text) == [], text


def test_no_page_is_a_race() -> None:
    paths = [*sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "runbooks").glob("*.md"))]
    races = {}
    for path in paths:
        document = load(path)
        if lines := [*_of_session(document), *_of_program(document)]:
            races[path.name] = lines
    assert races == {}
