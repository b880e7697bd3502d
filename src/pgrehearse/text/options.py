"""Options of a cell: the header grammar that Material, jupytext and GitHub all accept, and its keys.

Grammar, found by trying each renderer: ``sql key="value" key="value"``, keys ``[a-z][a-z0-9_]*`` in
alphabetical order, one space between, ASCII values in double quotes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pgrehearse.findings import Finding
from pgrehearse.majors import SUPPORTED
from pgrehearse.text import claims
from pgrehearse.text.flaws import flaw

__all__ = [
    "ALWAYS",
    "LANGUAGES",
    "LONGEST",
    "RESERVED",
    "CellOptions",
    "known_options",
    "parse_header",
    "seconds",
]

#: Languages of cells. Bash is one only where the front matter says so: the pages of other projects hold
#: commands to be read.
ALWAYS = ("sql", "python")
LANGUAGES = (*ALWAYS, "bash")
#: jupytext gives these keys a meaning of its own and drops or rewrites them.
RESERVED = ("language", "active", "magic_args", "lines_to_next_cell", "cell_marker")

_PAIR = re.compile(r'([a-z][a-z0-9_]*)="([^"]*)"')
_HEADER = re.compile(r'^(?P<language>[a-z]+)(?P<pairs>(?: [a-z][a-z0-9_]*="[^"]*")*)$')
_SESSION = re.compile(r"[a-z][a-z0-9_]*")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min)")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}
#: Seconds that PostgreSQL can wait: 2^31 milliseconds. More is a slip, or for ever.
LONGEST = 2_147_483


@dataclass(frozen=True)
class CellOptions:
    """What a cell's header says.

    ``exit`` is the exit status of a bash cell.
    ``timeout`` is in seconds; ``needs`` and ``until`` are the first and the last server major it runs on.
    ``blocks``, ``lock``, ``rewrite`` and ``scan`` are claims, checked where the cell is measured.
    """

    blocks: str | None = None
    exit: int | None = None
    expect: str | None = None
    lock: str | None = None
    name: str | None = None
    needs: int | None = None
    rewrite: str | None = None
    scan: str | None = None
    session: str = "main"
    snippet: str | None = None
    timeout: float | None = None
    until: int | None = None
    wait: str | None = None

    def runs_on(self, major: int) -> bool:
        """Whether the cell is for servers of this ``major``."""
        return (self.needs or major) <= major <= (self.until or major)


def seconds(value: str) -> float:
    """A duration such as ``500ms``, ``5s`` or ``10min`` in seconds. Raises ValueError with what is wanted."""
    match = _DURATION.fullmatch(value)
    found = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < found <= LONGEST:
        raise ValueError("a number with ms, s or min, such as 500ms or 5s, of less than 24 days")
    return found


def _sqlstate(value: str) -> str:
    if not re.fullmatch(r"[0-9A-Z]{5}", value) or value == "00000":
        raise ValueError("a five-character SQLSTATE of an error, such as 55P03")
    return value


def _word(value: str) -> str:
    if not _SESSION.fullmatch(value):
        raise ValueError("a lower-case word: letters, digits, underscore")
    return value


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", value):
        raise ValueError("a lower-case name with hyphens")
    return value


def _major(value: str) -> int:
    if value not in map(str, SUPPORTED):
        raise ValueError(f'a PostgreSQL major from {min(SUPPORTED)} to {max(SUPPORTED)}, such as "17"')
    return int(value)


def _status(value: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,2}", value) or int(value) > 255:
        raise ValueError("an exit status other than 0, such as 1")
    return int(value)


_READERS: Mapping[str, Callable[[str], object]] = {
    "blocks": claims.blocks,
    "exit": _status,
    "expect": _sqlstate,
    "lock": claims.locks,
    "name": _slug,
    "needs": _major,
    "rewrite": claims.yes_or_no,
    "scan": claims.yes_or_no,
    "session": _word,
    "snippet": _slug,
    "timeout": seconds,
    "until": _major,
    "wait": _word,
}
_SQL_ONLY = ("blocks", "expect", "lock", "rewrite", "scan", "session", "wait")


def known_options() -> tuple[str, ...]:
    """The keys a cell may have, in alphabetical order."""
    return tuple(sorted(_READERS))


def parse_header(info: str) -> tuple[CellOptions, list[Finding]]:
    """Read a fence header such as ``sql expect="55P03" session="app"``.

    Returns the options (defaults where a value is wrong) and what is wrong with the header, on line 0.
    """
    problems: list[Finding] = []
    header = _HEADER.match(info)
    pairs = _PAIR.findall(info)
    language = re.match(r"\s*\{?\.?(\w*)", info)
    name = language.group(1) if language else ""
    if not header:
        fixed = " ".join([name.lower() or "sql", *(f'{k}="{v}"' for k, v in sorted(pairs))])
        problems.append(
            flaw(
                0,
                "header",
                f"this header is no cell header: ```{info.strip()}",
                f'write key="value" pairs after the language, one space apart, such as ```{fixed}',
            )
        )
    keys = [key for key, _ in pairs]
    if keys != sorted(set(keys)):
        ordered = " ".join(f'{k}="{v}"' for k, v in sorted(dict(pairs).items()))
        problems.append(
            flaw(
                0,
                "option-order",
                "option keys are not in alphabetical order, or one stands twice",
                f"write ```{name} {ordered}",
            )
        )
    values: dict[str, object] = {}
    for key, value in pairs:
        problem = _read(key, value, name, values)
        if problem:
            problems.append(problem)
    options = CellOptions(**values)  # type: ignore[arg-type]  # readers give each field its type
    if options.needs and options.until and options.needs > options.until:
        message = (
            f"no server is {options.needs} or later and {options.until} or earlier: this would never run"
        )
        problems.append(flaw(0, "option-value", message, "mend needs or until"))
    return options, problems


def _read(key: str, value: str, language: str, values: dict[str, object]) -> Finding | None:
    if key in RESERVED:
        return flaw(0, "reserved-option", f"option {key!r} belongs to jupytext", "remove it")
    if key not in _READERS:
        near = difflib.get_close_matches(key, known_options(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(known_options())
        return flaw(0, "unknown-option", f"unknown option {key!r}", hint)
    if not value.isascii():
        return flaw(0, "option-value", f"option {key!r} has a value that is not ASCII", "use ASCII")
    if language in ("python", "bash") and key in _SQL_ONLY:
        return flaw(0, "option-value", f"option {key!r} is for sql cells", "remove it")
    if key == "exit" and language in ("sql", "python"):
        return flaw(0, "option-value", "option 'exit' is for bash cells", "remove it")
    try:
        values[key] = _READERS[key](value)
    except ValueError as wanted:
        return flaw(0, "option-value", f'{key}="{value}" is no valid value', f"give {wanted}")
    return None
