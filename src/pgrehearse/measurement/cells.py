"""Measures the DDL of a document: every statement in the state its cell finds, and the cell's claims.

The cells before a measured one are replayed; with its sessions closed their database is what the measurement
copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from psycopg import Connection

from pgrehearse.connections import connect
from pgrehearse.errors import DocumentError
from pgrehearse.execution.cell_messages import messages
from pgrehearse.execution.rehearser import Fresh, Rehearser
from pgrehearse.execution.session import Message, Session
from pgrehearse.findings import Finding
from pgrehearse.measurement.replay import Replay
from pgrehearse.measurement.statement.facts import Facts, strongest
from pgrehearse.measurement.statement.measure import measure
from pgrehearse.measurement.words import claim_of
from pgrehearse.text import claims
from pgrehearse.text.document import Cell, Document
from pgrehearse.text.split import split
from pgrehearse.text.statement import Kind, classify, generated

__all__ = ["check_claims", "is_measured", "measure_cells"]


def is_measured(cell: Cell) -> bool:
    """Whether a cell holds DDL, in its own text or in what its ``\\gexec`` generates, or claims anything."""
    if cell.language != "sql":
        return False
    ddl = any(classify(s).ddl or (s.gexec and any(k.ddl for k in generated(s))) for s in split(cell.source))
    return ddl or bool(_claimed(cell))


def _claimed(cell: Cell) -> dict[str, str]:
    """The cell's claims by option."""
    options = cell.options
    given = {
        "lock": options.lock,
        "rewrite": options.rewrite,
        "scan": options.scan,
        "blocks": options.blocks,
    }
    return {key: value for key, value in given.items() if value is not None}


def measure_cells(
    rehearser: Rehearser,
    document: Document,
    major: int | None,
    progress: Callable[[Cell], None] = lambda cell: None,
) -> Iterator[tuple[Cell, list[tuple[str, Facts]]]]:
    """Each cell with DDL that runs on this major, and the facts of its statements.

    Raises ExpectationError when a cell before it is red: measure green documents only.
    """
    order = document.in_order()
    here = rehearser.servers.get(major).major
    wanted = [
        position for position, cell in enumerate(order) if is_measured(cell) and cell.options.runs_on(here)
    ]
    with Replay(rehearser, document, major, wanted) as replay:
        for position in wanted:
            progress(order[position])
            with replay.before(position) as fresh:
                helpers = _helpers(document, order[:position], here)
                yield order[position], list(_statements(fresh, document, order[position], helpers))


def _helpers(document: Document, before: Sequence[Cell], major: int) -> list[Message]:
    """What made the temporary objects that a cell may use: the sessions that had them are gone."""
    return [
        message
        for cell in before
        if cell.language == "sql" and cell.options.runs_on(major)
        for message in messages(cell, document.front.examples(), document.path)
        if any(kind.temporary or kind.of_temporary for kind in _kinds(message))
    ]


def _kinds(message: Message) -> Iterator[Kind]:
    for statement in split(message.sql):
        yield from generated(statement) if message.gexec else (classify(statement),)


def _make(connection: Connection[Any], helpers: Sequence[Message]) -> None:
    for helper in helpers:
        cursor = connection.execute(helper.sql.encode())
        for value in (value for row in cursor.fetchall() for value in row) if helper.gexec else ():
            if value is not None:
                connection.execute(str(value).encode())


def _statements(
    fresh: Fresh, document: Document, cell: Cell, helpers: Sequence[Message]
) -> Iterator[tuple[str, Facts]]:
    """Measure and then carry out, one by one, so that each finds what the earlier ones left."""
    sent = messages(cell, document.front.examples(), document.path)
    for message in sent:
        expected = cell.options.expect if message is sent[-1] else None
        for sql in _resolved(fresh, message, helpers):
            kind = classify(sql)
            if kind.control is not None:
                continue
            if kind.ddl:
                facts = _measured(fresh, document, cell, sql)
                # An error the document did not see: it needs a transaction whose earlier part is gone here.
                if facts.sqlstate in ("", expected):
                    yield " ".join(sql.split()), facts
            _carry_out(fresh, sql, helpers)


def _measured(fresh: Fresh, document: Document, cell: Cell, sql: str) -> Facts:
    try:
        return measure(fresh.server, fresh.name, sql, maker=fresh.databases.maker)
    except DocumentError as error:
        raise DocumentError(
            f"cannot measure {sql[:60]!r}: {error.message}",
            path=document.path,
            line=cell.line,
            next_step=error.next_step,
        ) from error


def _resolved(fresh: Fresh, message: Message, helpers: Sequence[Message]) -> list[str]:
    """The statement itself, or those its ``\\gexec`` generates in the present state."""
    if not message.gexec:
        return [message.sql]
    with connect(fresh.server.dsn(fresh.name), autocommit=True) as connection:
        _make(connection, helpers)
        rows = connection.execute(message.sql.encode()).fetchall()
    return [str(value) for row in rows for value in row if value is not None]


def _carry_out(fresh: Fresh, sql: str, helpers: Sequence[Message]) -> None:
    """Run it on the database itself; an error the cell expects leaves nothing, as in the document."""
    session = Session("measured", fresh.server.dsn(fresh.name))
    try:
        session.run([*helpers, Message(sql, 1)])
    finally:
        session.close()


def check_claims(
    document: Document, cell: Cell, statements: Sequence[tuple[str, Facts]], version: str
) -> list[Finding]:
    """What the cell claims and the measurement contradicts, with expected and measured."""
    facts = [measured for _, measured in statements]
    claimed = _claimed(cell)
    found = []
    locks = _locks(facts)
    lock = claimed.pop("lock", None)
    if (lock or claimed) and not statements:
        found.append("a claim about nothing: no statement of the cell was measured")
    for relation, mode in claims.pairs(lock or "nothing").items():
        if statements and locks.get(relation) != mode:
            found.append(f"lock on {relation}: claimed {mode}, measured {locks.get(relation, 'none')}")
    if lock == "nothing" and locks:
        found.append("lock: claimed nothing, measured " + ", ".join(f"{k}: {v}" for k, v in locks.items()))
    measured = {
        "rewrite": "yes" if any(f.rewrites for f in facts) else "no",
        "scan": "yes" if any(f.scans for f in facts) else "no",
        "blocks": claim_of(facts),
    }
    for key, value in claimed.items():
        if statements and value != measured[key]:
            found.append(f"{key}: claimed {value}, measured {measured[key]}")
    next_step = "mend the claim, or the statement"
    return [
        Finding(f"{text} [PostgreSQL {version}]", document.path, cell.line, kind="claim", next_step=next_step)
        for text in found
    ]


def _locks(facts: Sequence[Facts]) -> dict[str, str]:
    """Relation to the strongest mode any of the statements locked it in."""
    modes: dict[str, list[str]] = {}
    for measured in facts:
        for relation, mode in measured.locks.items():
            modes.setdefault(relation, []).append(mode)
    return {relation: strongest(found) for relation, found in sorted(modes.items())}
