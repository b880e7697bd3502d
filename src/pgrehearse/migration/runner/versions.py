"""The migration files against the ledger of a database: what is applied, pending, or wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse.connections import connect
from pgrehearse.errors import ExpectationError, SetupError, first_line
from pgrehearse.findings import Finding
from pgrehearse.migration.runner import foreign_ledgers
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.ledger_rows import KnownLedger
from pgrehearse.migration.runner.ledger_shape import present
from pgrehearse.migration.runner.own_session import ours
from pgrehearse.text.migration_files import Migration

__all__ = ["VersionState", "begun", "check", "choose", "compare", "in_public", "look", "read", "readable"]

#: What to do about each state that must not be.
_MEND = {
    "edited": "put the file back as it was applied (git), and write the change as a new migration",
    "missing": "put the file back (git): fresh databases need it too",
    "late": "rename the file: its version must be newer than those that are applied",
    "withdrawn": "put it back into public.schema_migrations; or, if another tool undid it, say so:"
    " INSERT INTO pgrehearse.attempt (version, name, direction, sha256, outcome)"
    " VALUES ('{version}', '', 'down', '', 'adopted')",
}
_SAID = {
    "edited": "was edited after it was applied",
    "missing": "is applied, but its file is gone",
    "withdrawn": "is applied according to pgrehearse.attempt, and not according to public.schema_migrations",
    "late": "is older than a migration that is applied already, and would run in another order elsewhere",
}


@dataclass(frozen=True)
class VersionState:
    """One version. ``state``: applied, pending, edited, missing, late or withdrawn.

    ``migration`` is None for a missing one; ``at`` is when it was applied, None if that is unknown;
    ``adopted``: another tool applied it, and its hash is still to be taken.
    """

    version: str
    state: str
    migration: Migration | None
    at: datetime | None = None
    adopted: bool = False

    @property
    def label(self) -> str:
        return self.migration.path.stem if self.migration else self.version

    @property
    def finding(self) -> Finding | None:
        """What is wrong, and what to do about it; None when nothing is."""
        if self.state not in _SAID:
            return None
        message, path = f"{self.label} {_SAID[self.state]}", self.migration.path if self.migration else None
        return Finding(message, path, kind="ledger", next_step=_MEND[self.state].format(version=self.version))


def compare(migrations: Sequence[Migration], known: KnownLedger) -> list[VersionState]:
    """The state of every version that has a file or is applied, in order of version."""
    files = {migration.version: migration for migration in migrations}
    newest = max(known.applied, default="")
    found = []
    for version in sorted({*files, *known.applied}):
        migration, record = files.get(version), known.applied.get(version)
        if record is None:
            state = "late" if version < newest else "pending"
            state = "withdrawn" if version in known.withdrawn else state
        elif migration is None:
            state = "missing"
        else:
            state = "edited" if record.sha256 not in (None, migration.sha256) else "applied"
        adopted = record is not None and record.sha256 is None
        found.append(VersionState(version, state, migration, record.at if record else None, adopted))
    return found


def read(conninfo: str, migrations: Sequence[Migration]) -> list[VersionState]:
    """`compare` with the ledger of a database, which is only read. Raises SetupError."""
    with readable(), connect(conninfo, autocommit=True) as connection:
        return look(connection, migrations)


@contextmanager
def readable() -> Iterator[None]:
    """What PostgreSQL says within this means that the ledger cannot be read: SetupError."""
    try:
        yield
    except psycopg.Error as error:
        reason = first_line(error)
        raise SetupError(
            f"the ledger cannot be read: {reason}", next_step="check the DSN and its role"
        ) from None


def look(connection: psycopg.Connection[Any], migrations: Sequence[Migration]) -> list[VersionState]:
    """`read`, in a transaction of ``connection``. Raises psycopg.Error too."""
    with ours(connection):
        connection.execute("SET LOCAL transaction_read_only = on")  # poolers refuse it as a startup option
        ledger = Ledger(connection)
        known = ledger.known()
        if not known.applied:
            begun(ledger, migrations)
        return compare(migrations, known)


def begun(ledger: Ledger, migrations: Sequence[Migration]) -> None:
    """Raise SetupError where nothing is applied by ``ledger``, and other tables say that something is."""
    in_public(ledger.elsewhere(), migrations)
    with ours(ledger.connection):
        kept, _ = present(ledger.connection)
        foreign_ledgers.refuse(foreign_ledgers.look(ledger.connection), migrations, kept=kept)


def in_public(elsewhere: Mapping[str, Set[str]], migrations: Sequence[Migration]) -> None:
    """Raise SetupError when one of ``migrations`` is applied according to a table of another schema."""
    versions = {migration.version for migration in migrations}
    for schema, found in elsewhere.items():
        if versions & found:
            raise SetupError(
                f"refused: {schema}.schema_migrations says that {len(versions & found)} of these migrations"
                " are applied; pgrehearse keeps that table in the schema public",
                next_step=f"move it: {_moved(schema)}; and give dbmate a URL without search_path",
            )


def _moved(schema: str) -> str:
    name = Identifier(schema, "schema_migrations")
    return SQL("ALTER TABLE {} SET SCHEMA public").format(name).as_string()


def choose(states: Sequence[VersionState], to: str | None) -> list[Migration]:
    """The pending migrations up to version ``to``. Raises SetupError when there is no such version."""
    if to is not None and to not in {state.version for state in states}:
        raise SetupError(f"no migration has the version {to}", next_step="pgrehearse db status lists them")
    return [
        state.migration
        for state in states
        if state.state == "pending" and state.migration and (to is None or state.version <= to)
    ]


def check(states: Sequence[VersionState]) -> None:
    """Raise ExpectationError that names every state that must not be."""
    wrong = [state.finding for state in states if state.finding]
    if not wrong:
        return
    first, *others = wrong
    # The sentence of each names its file; the place stands before the first.
    refused = replace(first, message=f"refused: {first.message}")
    raise ExpectationError.of([refused, *(replace(other, path=None) for other in others)])
