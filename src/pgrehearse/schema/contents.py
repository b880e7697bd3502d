"""The whole of a database as text: ``pg_dump`` parsed into statements and rows, so that two can be compared.

The order of statements and of rows means nothing and is dropped. pg_dump leaves INVALID indexes out; they are
asked for separately. Receipts of runbooks stand in large objects; of those only whose they are is kept, since
their numbers and contents name oids.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from pgrehearse.connections import connect
from pgrehearse.schema.dump import dump
from pgrehearse.schema.dump_text import Raw, split

__all__ = ["Contents", "parse", "state_of"]

_TIMESTAMP = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00\b")
#: A statement about one large object, and the comment that makes one a receipt.
_LARGE_OBJECT = re.compile(r"(?:LARGE OBJECT |pg_catalog\.lo_(?:create|open)\(')(\d+)")
_RECEIPT = re.compile(r"COMMENT ON LARGE OBJECT \d+ IS 'pgrehearse receipt (\{.*\})'", re.DOTALL)
_INVALID = """
SELECT indexrelid::pg_catalog.regclass::pg_catalog.text
  FROM pg_catalog.pg_index JOIN pg_catalog.pg_class ON oid = indexrelid
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


def state_of(conninfo: str, *, ledger: bool = True) -> Contents:
    """What is in a database, with or without our ledgers. Raises SetupError when it cannot be dumped."""
    with connect(conninfo, autocommit=True) as connection:
        invalid = frozenset(name for (name,) in connection.execute(_INVALID).fetchall())
    return parse(dump(conninfo, rows=True, ledger=ledger).text, invalid)


def parse(text: str, invalid: frozenset[str] = frozenset()) -> Contents:
    """Read the text of a plain dump."""
    statements: set[str] = set()
    rows: dict[str, Counter[str]] = {}
    large: dict[str, list[str]] = {}
    for entry, raws in groupby(split(text), attrgetter("entry")):
        made = []
        for raw in raws:
            if number := _of_large_object(raw):
                large.setdefault(number, []).append(raw.sql)
            elif raw.rows is None:
                made.append(f"{raw.sql};")
            else:
                rows[raw.sql] = Counter(raw.rows)
        if made and entry.type and not entry.type.startswith("BLOB"):
            title = f"{entry.name}; Type: {entry.type}; Schema: {entry.schema}"
            statements.add("\n".join((title, *made)))
    statements.update(_large_objects(large))
    return Contents(frozenset(statements), rows, invalid)


def _of_large_object(raw: Raw) -> str:
    """The number of the large object that ``raw`` is about; empty when it is about none."""
    about = raw.entry.type.startswith("BLOB") or raw.entry.name.startswith("LARGE OBJECT ")
    found = _LARGE_OBJECT.search(raw.sql) if about else None
    return found[1] if found else ""


def _large_objects(large: dict[str, list[str]]) -> Iterator[str]:
    for number, made in large.items():
        receipts = [found[1] for sql in made if (found := _RECEIPT.fullmatch(sql))]
        for receipt in receipts:
            said = json.loads(receipt.replace("''", "'"))
            yield f"receipt of {said['what']} on {said['of']}"
        if not receipts:
            yield "\n".join((f"LARGE OBJECT {number}; Type: BLOB; Schema: -", *(f"{sql};" for sql in made)))


def _short(text: str) -> str:
    """A statement in one line: its title is dropped, and what is longer than 160 characters."""
    title, _, body = text.partition("\n")
    line = " ".join((body if "; Type: " in title else text).split())
    return line if len(line) <= 160 else line[:159] + "…"
