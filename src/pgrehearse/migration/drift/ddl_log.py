"""An optional log of DDL that came past the runner: an event trigger, so that drift has a name and a time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import psycopg

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.schema.compare import Difference
from pgrehearse.schema.dump import OPTIONS
from pgrehearse.text.passwords import redacted

__all__ = ["LoggedChange", "entries", "install", "matching", "remove"]

_REMOVE = """
DROP EVENT TRIGGER IF EXISTS pgrehearse_log_ddl;
DROP EVENT TRIGGER IF EXISTS pgrehearse_log_drop;
DROP FUNCTION IF EXISTS pgrehearse.log_ddl();
DROP TABLE IF EXISTS pgrehearse.ddl;
"""


@dataclass(frozen=True)
class LoggedChange:
    """One statement that came past the runner."""

    at: datetime
    who: str
    application: str
    tag: str
    objects: str
    statement: str


def install(conninfo: str) -> None:
    """Begin to log. Raises SetupError: only a superuser may create an event trigger."""
    _run(conninfo, queries.text("ddl_log", lock_class=RUNNER[0], lock_object=RUNNER[1]))


def remove(conninfo: str) -> None:
    """Stop logging, and drop the log. Raises SetupError."""
    _run(conninfo, _REMOVE.encode())


def entries(conninfo: str) -> list[LoggedChange] | None:
    """The log, oldest first; None where nothing is logged. Raises SetupError: it may not be read."""
    try:
        with connect(conninfo, options=OPTIONS, autocommit=True) as connection:
            row = connection.execute("SELECT pg_catalog.to_regclass('pgrehearse.ddl')").fetchone()
            if row is None or row[0] is None:
                return None
            query = "SELECT at, who, application, tag, objects, statement FROM pgrehearse.ddl ORDER BY id"
            return [
                LoggedChange(at, who, application, tag, objects, redacted(statement))
                for at, who, application, tag, objects, statement in connection.execute(query)
            ]
    except psycopg.Error as error:
        reason = first_line(error)
        raise SetupError(f"the log cannot be read: {reason}", next_step="GRANT pg_read_all_data") from None


def matching(log: Iterable[LoggedChange], drift: Iterable[Difference]) -> list[LoggedChange]:
    """Entries that name what differs: the object itself, or what a statement of the difference names."""
    names: set[str] = set()
    for one in drift:
        names.add(_last(one.object))
        if found := re.search(r"(?:INDEX|CONSTRAINT|TRIGGER|POLICY|STATISTICS) ([\w.\"]+)", one.sql):
            names.add(_last(found[1]))
    names -= {""}
    return [entry for entry in log if names & set(re.findall(r"\w+", f"{entry.objects} {entry.statement}"))]


def _last(name: str) -> str:
    words = re.findall(r"\w+", name.split("(")[0])
    return words[-1] if words else ""


def _run(conninfo: str, script: bytes) -> None:
    try:
        with connect(conninfo) as connection:
            connection.execute(script)
    except psycopg.Error as error:
        reason = first_line(error)
        raise SetupError(
            f"the log was not changed: {reason}", next_step="connect as a superuser, who owns event triggers"
        ) from None
