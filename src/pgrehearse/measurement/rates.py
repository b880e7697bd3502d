"""How long a server takes for each GB of a table: to check, index or rewrite it, or to change its rows.

How long a step takes depends on the machine and on the size of the table. The machine's part is measured
here, on tables made for that; which kinds of work a step does, PostgreSQL itself said when it was measured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pgrehearse.connections import Connection
from pgrehearse.measurement.statement.facts import Facts

__all__ = ["GB", "KINDS", "Rates", "WorkKind", "kinds", "measure"]

#: Bytes; as `pg_size_pretty` counts them.
GB = 1 << 30
_PAGE = 8192  # bytes
#: Bytes a row of the table takes on its pages, about.
_ROW = 109
#: Pages whose rows one transaction changes.
_BATCH = 64
#: Rows for one row of the referenced table.
_REFERRING = 20


@dataclass(frozen=True)
class WorkKind:
    """One kind of work. ``said``: what it is, after "to". ``message``: how DEBUG1 says that it begins."""

    said: str
    message: str = ""


#: By name. What has no message is done by statements that are no DDL.
KINDS: Mapping[str, WorkKind] = {
    "check": WorkKind("check each row", "verifying table"),
    "foreign key": WorkKind("check a foreign key", "validating foreign key constraint"),
    "index": WorkKind("build an index on a bigint", "building index"),
    "rewrite": WorkKind("rewrite it", "rewriting table"),
    "batches": WorkKind("change each row, in batches"),
}


@dataclass(frozen=True)
class Rates:
    """What one server took.

    Attributes:
        size: bytes of the table.
        rows: how many it had.
        seconds: kind -> seconds for each GB, of the fastest run: others met more on the machine.
        disk: kind -> GB that new or growing relations took for each GB; zero is left out.
    """

    size: int
    rows: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    disk: Mapping[str, float] = field(default_factory=dict)


def kinds(facts: Facts) -> tuple[str, ...]:
    """The kinds of work a statement with these ``facts`` did; none where a larger table takes no longer."""
    heard = [name for name, kind in KINDS.items() if kind.message and _heard(kind.message, facts.messages)]
    # A rewrite makes the indexes anew, and checks what it writes.
    return ("rewrite",) if "rewrite" in heard else tuple(heard)


def _heard(message: str, messages: Sequence[str]) -> bool:
    return any(line.startswith(f"{message} ") and '"pg_toast_N' not in line for line in messages)


def measure(connection: Connection, megabytes: int, *, runs: int = 3) -> Rates:
    """Measure all kinds on a table of about ``megabytes``, made and dropped again in each of ``runs``.

    ``connection`` is in autocommit mode and in a database of its own. Raises psycopg.Error.
    """
    rows = megabytes * (1 << 20) // _ROW
    found = [_run(connection, rows) for _ in range(runs)]
    seconds = {kind: round(min(one.seconds[kind] for one in found), 2) for kind in KINDS}
    disk = {kind: round(min(one.disk[kind] for one in found), 2) for kind in KINDS}
    return Rates(found[-1].size, rows, seconds, {kind: value for kind, value in disk.items() if value})


def _run(connection: Connection, rows: int) -> Rates:
    connection.execute("DROP TABLE IF EXISTS measured, referenced")
    connection.execute("CREATE TABLE referenced (id integer PRIMARY KEY)")
    connection.execute(
        "INSERT INTO referenced SELECT generate_series(0, %s)", (max(rows // _REFERRING - 1, 0),)
    )
    connection.execute(
        "CREATE TABLE measured AS SELECT hashint8(n)::bigint AS key, (n %% %s)::integer AS number,"
        " repeat(md5(n::text), 2) AS word FROM generate_series(1, %s) AS n",
        (max(rows // _REFERRING, 1), rows),
    )
    connection.execute("VACUUM ANALYZE measured")
    size = _bytes(connection)
    seconds: dict[str, float] = {}
    disk: dict[str, float] = {}
    for kind, before, statements, after in _work(size):
        for statement in before:
            connection.execute(statement)
        written = _written(connection)
        began = time.monotonic()
        for statement in statements:
            connection.execute(statement)
        seconds[kind] = (time.monotonic() - began) / size * GB
        # What was rewritten stands there twice until the transaction ends.
        more = _bytes(connection) if kind == "rewrite" else _written(connection) - written
        disk[kind] = more / size
        for statement in after:
            connection.execute(statement)
    return Rates(size, rows, seconds, disk)


def _work(size: int) -> Iterator[tuple[str, list[str], Iterator[str], list[str]]]:
    """Each kind with what comes before it, its statements, and what takes it away again."""
    yield (
        "check",
        ["ALTER TABLE measured ADD CONSTRAINT rule CHECK (number >= 0) NOT VALID"],
        iter(["ALTER TABLE measured VALIDATE CONSTRAINT rule"]),
        ["ALTER TABLE measured DROP CONSTRAINT rule"],
    )
    yield (
        "foreign key",
        ["ALTER TABLE measured ADD CONSTRAINT rule FOREIGN KEY (number) REFERENCES referenced NOT VALID"],
        iter(["ALTER TABLE measured VALIDATE CONSTRAINT rule"]),
        ["ALTER TABLE measured DROP CONSTRAINT rule"],
    )
    yield (
        "rewrite",
        [],
        iter(["ALTER TABLE measured ALTER COLUMN word TYPE varchar(64)"]),
        ["VACUUM measured"],
    )
    yield "index", [], iter(["CREATE INDEX CONCURRENTLY measured_key ON measured (key)"]), []
    # With that index: each new version of a row gets an entry there.
    yield "batches", [], _batches(size), ["DROP TABLE measured, referenced"]


def _batches(size: int) -> Iterator[str]:
    """One statement, and so one transaction, for each batch of the pages that are there now."""
    change = "UPDATE measured SET number = number + 1 WHERE ctid >= '({},0)' AND ctid < '({},0)'"
    for first in range(0, size // _PAGE + _BATCH, _BATCH):
        yield change.format(first, min(first + _BATCH, size // _PAGE))


def _bytes(connection: Connection) -> int:
    return _one(connection, "SELECT pg_table_size('measured')")


def _written(connection: Connection) -> int:
    return _one(connection, "SELECT pg_total_relation_size('measured')")


def _one(connection: Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
