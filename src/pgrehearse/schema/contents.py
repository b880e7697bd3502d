"""The whole of a database as text: ``pg_dump`` parsed into statements and rows, so that two can be compared.

The order of statements and of rows means nothing and is dropped. pg_dump leaves INVALID indexes out; they are
asked for separately.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from pgrehearse.errors import SetupError
from pgrehearse.servers import Server, libpq_environment
from pgrehearse.servers.binaries import client

__all__ = ["Contents", "parse", "state_of"]

_ENTRY = re.compile(r"^--\n-- (?:Data for )?Name: (?P<name>.*)\n--\n", re.M)
_COPY = re.compile(r"^COPY .* FROM stdin;$", re.M)
_TIMESTAMP = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00\b")
_LIMIT = 300  # seconds for one dump
_INVALID = """
SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON oid = indexrelid
 WHERE NOT indisvalid AND relkind = 'i' ORDER BY 1
"""


@dataclass(frozen=True)
class Contents:
    """``statements`` make the schema; ``rows`` counts equal rows by the COPY line of their table."""

    statements: frozenset[str]
    rows: dict[str, Counter[str]] = field(default_factory=dict)
    invalid: frozenset[str] = frozenset()

    def differences(self, other: Contents) -> list[str]:
        """Lines that say what ``other`` has less (``-``) and more (``+``) than this. Empty when equal.

        An INVALID index counts only when ``other`` has it and this has not: to clean one up is no harm.
        """
        lines = [f"- {_short(text)}" for text in sorted(self.statements - other.statements)]
        lines += [f"+ {_short(text)}" for text in sorted(other.statements - self.statements)]
        for table in sorted({*self.rows, *other.rows}):
            mine, theirs = self.rows.get(table, Counter()), other.rows.get(table, Counter())
            less, more = (mine - theirs).total(), (theirs - mine).total()
            if less or more:
                example = next(iter((theirs - mine) or (mine - theirs)))
                name = table.split("(")[0].removeprefix("COPY ").strip()
                lines.append(f"~ {name}: {less} rows less, {more} rows more, such as {_short(example)}")
        lines += [f"+ INVALID index {name}" for name in sorted(other.invalid - self.invalid)]
        return lines

    def without_times(self, start: datetime, end: datetime) -> Contents:
        """This state with every time from ``start`` to ``end`` replaced by a word.

        What two runs wrote with ``now()`` is different and means the same.
        """

        def replaced(match: re.Match[str]) -> str:
            moment = datetime.fromisoformat(match[0] + ":00")
            return "(during the rehearsal)" if start <= moment <= end else match[0]

        def counted(rows: Counter[str]) -> Counter[str]:
            new: Counter[str] = Counter()
            for row, count in rows.items():
                new[_TIMESTAMP.sub(replaced, row)] += count
            return new

        return Contents(self.statements, {t: counted(rows) for t, rows in self.rows.items()}, self.invalid)


def state_of(server: Server, database: str) -> Contents:
    """Dump ``database`` and read the dump. Raises SetupError when pg_dump fails."""
    command = [str(client("pg_dump")), "--no-password"]
    done = subprocess.run(
        command,
        env=libpq_environment(server.env(database)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_LIMIT,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(
            f"pg_dump of {database} failed: {done.stderr.strip()}",
            next_step="pg_dump must be at least as new as the server: see `pgrehearse psql --help`",
        )
    with psycopg.connect(server.dsn(database), autocommit=True) as connection:
        invalid = frozenset(name for (name,) in connection.execute(_INVALID).fetchall())
    return parse(done.stdout, invalid)


def parse(dump: str, invalid: frozenset[str] = frozenset()) -> Contents:
    """Read the text of a plain dump."""
    statements: set[str] = set()
    rows: dict[str, Counter[str]] = {}
    for title, body in _entries(dump):
        copy = _COPY.search(body) if "; Type: TABLE DATA;" in title else None
        if copy is None:
            statements.add(f"{title}\n{body}")
        else:
            data = body[copy.end() + 1 :].split("\n")
            rows[copy[0]] = Counter(data[: data.index("\\.")])
    return Contents(frozenset(statements), rows, invalid)


def _entries(dump: str) -> Iterator[tuple[str, str]]:
    dump = dump.split("\n--\n-- PostgreSQL database dump complete\n")[0]
    starts = list(_ENTRY.finditer(dump))
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        end = following.start() if following else len(dump)
        yield start["name"], dump[start.end() : end].strip()


def _short(text: str) -> str:
    """A statement in one line: its title is dropped, and what is longer than 160 characters."""
    body = text.split("\n", 1)[1] if "; Type: " in text.split("\n", 1)[0] else text
    line = " ".join(body.split())
    return line if len(line) <= 160 else line[:159] + "…"
