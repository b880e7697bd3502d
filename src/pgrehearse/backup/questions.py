"""What is asked of a copy: is it that database, with its migrations, rows, sequences and whole indexes?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import psycopg

from pgrehearse import queries
from pgrehearse.backup import canary, indexes
from pgrehearse.backup.adapter import BackupFacts, Copy, WorkOptions
from pgrehearse.backup.canary import Canary
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.manifest import lsn
from pgrehearse.backup.original import Original
from pgrehearse.backup.proof import Proof, Refused, Unproven
from pgrehearse.backup.room import full
from pgrehearse.connections import connect
from pgrehearse.errors import PgRehearseError, first_line
from pgrehearse.migration.runner.ledger import Ledger

__all__ = ["Answers", "ask"]

_TAKE = "take a new one: pgrehearse backup take"
_PART = "was it made since, or is this a backup of a part? take a new one: pgrehearse backup take"
_UNLOGGED = f"""
SELECT pg_catalog.count(*) FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND {queries.APPLICATION_SCHEMA}
"""


class Answers:
    """What was read back. ``ledger``: the newest migration; ``canary``: the row, written ``at``."""

    ledger: str = ""
    canary: str = ""
    at: datetime | None = None


def ask(copy: Copy, facts: BackupFacts, original: Original, proof: Proof, work: WorkOptions) -> Answers:
    """Ask everything. Raises Refused: it is no copy of ``original``."""
    found = Answers()
    dsn = copy.dsn(original.database)
    try:
        with connect(dsn, autocommit=True) as connection, connect(original.target.conninfo) as before:
            before.read_only = True
            _identity(connection, copy, original, proof)
            with indexes.compared(connection, dsn, work) as agreed:
                with proof.proving(EvidenceLevel.QUERIED, "ledger") as said:
                    found.ledger = _ledger(connection, original)
                    said.append(
                        f"{found.ledger} is the newest migration, as in {original.database}"
                        if found.ledger
                        else f"no migrations, as in {original.database}"
                    )
                known = canary.read(before)
                there = canary.read(connection)
                theirs = {one.id for one in known}
                newest = next((one for one in reversed(there) if one.id in theirs), None)
                with proof.proving(EvidenceLevel.QUERIED, "rows") as said:
                    said.append(_rows(connection, before, newest, work))
                with proof.proving(EvidenceLevel.QUERIED, "objects") as said:
                    said.append(_large_objects(connection, before))
                with proof.proving(EvidenceLevel.QUERIED, "sequences") as said:
                    said.append(_sequences(connection, before))
                with proof.proving(EvidenceLevel.QUERIED, "indexes") as said:
                    _held_together(connection, before)
                    said.append(agreed())
            with proof.proving(EvidenceLevel.CANARY, "canary") as said:
                found.canary = _canary(newest, known, there, copy, facts, said)
                found.at = newest.at if newest else None
    except psycopg.Error as error:
        full(str(error))
        with proof.proving(EvidenceLevel.QUERIED, "answers"):
            raise Refused(f"the copy does not answer: {first_line(error)}", _TAKE) from None
    return found


def _identity(connection: psycopg.Connection[Any], copy: Copy, original: Original, proof: Proof) -> None:
    with proof.proving(EvidenceLevel.QUERIED, "identity") as said:
        if not copy.physical:
            said.append("a dump does not say which server it is from: the canary does")
            return
        row = connection.execute(
            "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"
        ).fetchone()
        assert row is not None
        if row[0] != original.system_identifier:
            raise Refused(
                f"the copy is of the server {row[0]}, {original.database} is on {original.system_identifier}",
                "this is a backup of another server: check the path",
            )
        said.append(f"server {row[0]}, as {original.database}")


def _ledger(connection: psycopg.Connection[Any], original: Original) -> str:
    try:
        versions = tuple(Ledger(connection).known().applied)
    except PgRehearseError as error:
        raise Unproven(f"the ledger of the copy cannot be read: {error.message}", _TAKE) from None
    if versions != original.versions:
        lacks = [one for one in original.versions if one not in versions]
        more = [one for one in versions if one not in original.versions]
        said = (
            f"lacks {lacks[-1]}, which was applied since"
            if lacks
            else f"has {more[-1]}, which was undone since"
        )
        raise Unproven(f"the copy {said}: it is from before the last migration", _TAKE)
    return versions[-1] if versions else ""


def _rows(
    connection: psycopg.Connection[Any],
    before: psycopg.Connection[Any],
    newest: Canary | None,
    work: WorkOptions,
) -> str:
    """Every row is counted. A table may be empty where it was empty when the canary was written."""
    had: Mapping[str, int] = newest.tables if newest else canary.tables(before)
    total, empty, counted = 0, 0, {}
    relations = connection.execute(queries.text("backup_relations")).fetchall()
    for number, (name, quoted, _) in enumerate(relations, 1):
        work.progress(f"count rows of {name}", number, 0)
        row = connection.execute(f"SELECT pg_catalog.count(*) FROM ONLY {quoted}".encode()).fetchone()
        counted[name] = int(row[0]) if row else 0
        total += counted[name]
        empty += counted[name] == 0
    gone = [name for name in had if name not in counted]
    lost = [name for name, rows in had.items() if rows and not counted.get(name)]
    fewer = [name for name, rows in had.items() if rows > 1000 and 0 < counted.get(name, 0) < rows / 2]
    if gone:
        raise Unproven(f"{gone[0]} is not in the copy{_and(len(gone) - 1)}", _PART)
    if lost:
        when = "when the canary was written" if newest else f"now in {before.info.dbname}"
        raise Unproven(f"{lost[0]} is empty in the copy, and had rows {when}", _TAKE)
    if fewer:
        raise Unproven(
            f"{fewer[0]} has {counted[fewer[0]]:,} rows in the copy, and had about {had[fewer[0]]:,}",
            f"if that is right, say so to PostgreSQL: ANALYZE {fewer[0]}; then take a new backup",
        )
    row = connection.execute(_UNLOGGED.encode()).fetchone()
    unlogged = row[0] if row else 0
    return "".join(
        [
            f"{total:,} rows in {len(counted)} tables",
            f", {empty} of them empty, as before" if empty else "",
            f"; {unlogged} UNLOGGED tables hold none after any restore" if unlogged else "",
        ]
    )


def _large_objects(connection: psycopg.Connection[Any], before: psycopg.Connection[Any]) -> str:
    """pg_dump leaves them out when it is told to, and all else is in the copy."""
    here, had = (_number(one, "backup_large_objects") for one in (connection, before))
    if had and (not here or (had > 1000 and here < had / 2)):
        raise Unproven(f"the copy has {here:,} large objects, and {before.info.dbname} has {had:,}", _PART)
    return f"large objects: {here:,}"


def _number(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(queries.text(query)).fetchone()
    assert row is not None
    return int(row[0])


def _held_together(connection: psycopg.Connection[Any], before: psycopg.Connection[Any]) -> None:
    """The tables of the copy have the indexes, constraints and triggers that they have in the original.

    A dump of two of its three sections loads without an error, and has all rows.
    """
    query = queries.text("backup_definitions")
    ours, theirs = (set(one.execute(query).fetchall()) for one in (connection, before))
    tables = {table for table, _, _ in ours}
    lacks = sorted(one for one in theirs - ours if one[0] in tables)
    if lacks:
        table, kind, name = lacks[0]
        raise Unproven(f"the copy lacks the {kind} {name} on {table}{_and(len(lacks) - 1)}", _PART)


def _and(more: int) -> str:
    return f", and {more} more" if more > 0 else ""


def _sequences(connection: psycopg.Connection[Any], before: psycopg.Connection[Any]) -> str:
    """A sequence behind its column gives numbers that are taken. As the original is, the copy may be."""
    behind, count = _behind(connection)
    wrong = sorted(set(behind) - set(_behind(before)[0])) if behind else []
    if wrong:
        last, largest = behind[wrong[0]]
        raise Unproven(f"the sequence {wrong[0]} stands at {last}, and its column has {largest}", _TAKE)
    return f"{count} sequences, none behind its column" + (" that was not before" if behind else "")


def _behind(connection: psycopg.Connection[Any]) -> tuple[dict[str, tuple[int, int]], int]:
    found = {}
    sequences = connection.execute(queries.text("backup_sequences")).fetchall()
    for name, query in sequences:
        row = connection.execute(query.encode()).fetchone()
        if row and row[1] is not None and row[1] > row[0]:
            found[name] = (row[0], row[1])
    return found, len(sequences)


def _canary(
    newest: Canary | None,
    known: list[Canary],
    there: list[Canary],
    copy: Copy,
    facts: BackupFacts,
    said: list[str],
) -> str:
    if newest is None:
        what = "the copy holds canaries of another database" if there else "the copy holds no canary"
        raise Unproven(what, "take the backup with pgrehearse backup take, which writes one before it")
    if copy.physical and facts.start_lsn:
        until = lsn(facts.start_lsn)
        ids = {one.id for one in there}
        lost = [one for one in known if lsn(one.lsn) < until and one.id not in ids]
        if lost:
            raise Refused(
                f"the canary of {lost[-1].at:%Y-%m-%d %H:%M:%S}, before the backup, is not in the copy",
                _TAKE,
            )
    said.append(f"{newest.id[:8]}, written {newest.at:%Y-%m-%d %H:%M:%S %Z}")
    return newest.id
