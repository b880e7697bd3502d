"""What runs of runbooks did to a database, kept in that database: read for a run that goes on, and written.

Order is that of the rows, not of any clock. A restored copy holds the same rows on another server, timeline
or oid: what is recorded there of another place is not gone on from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import Identifier
from psycopg.types.json import Jsonb

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.environments.direct import direct
from pgrehearse.environments.target import Target
from pgrehearse.errors import SetupError
from pgrehearse.execution.own_tables import SCHEMA, OwnTable, Wanted, create, look
from pgrehearse.execution.runbook.recorded import RunRow, RunWork, Unfinished
from pgrehearse.execution.unlimited import unlimited
from pgrehearse.text.variables import quote_literal

__all__ = ["RunLedger", "trusted"]

_APPLICATION = "pgrehearse run ledger"
_TABLES = (
    Wanted(
        SCHEMA,
        "run",
        [
            "id",
            "runbook",
            "work",
            "given",
            "parameters",
            "phases",
            "environment",
            "place",
            "who",
            "started",
            "finished",
            "outcome",
            "continues",
        ],
        ["id"],
    ),
    Wanted(
        SCHEMA,
        "step",
        [
            "run",
            "line",
            "statement",
            "generated",
            "phase",
            "digest",
            "outcome",
            "of_the_session",
            "state",
            "written",
            "position",
        ],
        ["run", "line", "statement", "generated"],
    ),
)
_SETTINGS = (
    "SET ROLE NONE",
    "SET search_path = pg_catalog, pg_temp",
    "SET default_transaction_read_only = off",
    "SET lock_timeout = '10s'",
)
_PLACE = """
SELECT s.system_identifier::text || ' ' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
  FROM pg_control_system() AS s
"""
_NEWEST = """
SELECT r.id, r.work, r.given, r.place, r.outcome, r.started,
       EXISTS (SELECT FROM pgrehearse.step AS s WHERE s.run = r.id AND s.phase = 'Roll back') AS back
  FROM pgrehearse.run AS r
 WHERE r.runbook = %s AND EXISTS (SELECT FROM pgrehearse.step AS s WHERE s.run = r.id)
 ORDER BY r.id DESC
"""
_BEGIN = """
INSERT INTO pgrehearse.run (runbook, work, given, parameters, phases, environment, place, continues)
VALUES (%(runbook)s, %(work)s, %(given)s, %(parameters)s, %(phases)s, %(environment)s, %(place)s,
    %(continues)s)
RETURNING id
"""
#: What was done, and found not to be as the runbook says, is done again.
_COPY = """
INSERT INTO pgrehearse.step (run, line, statement, generated, phase, digest, outcome, of_the_session, state)
SELECT %s, s.line, s.statement, s.generated, s.phase, s.digest, s.outcome, s.of_the_session, s.state
  FROM pgrehearse.step AS s
 WHERE s.run = %s AND NOT EXISTS (SELECT FROM pgrehearse.step AS f
                                   WHERE f.run = s.run AND f.line = s.line AND f.outcome = 'failed')
 ORDER BY s.position
"""
_ROWS = """
SELECT line, statement, generated, phase, digest, outcome, of_the_session, state
  FROM pgrehearse.step WHERE run = %s ORDER BY position
"""
_BEGUN = """
INSERT INTO pgrehearse.step (run, line, statement, generated, phase, digest, outcome, of_the_session)
VALUES (%s, %s, %s, %s, %s, %s, %s, false)
ON CONFLICT (run, line, statement, generated) DO UPDATE
   SET (outcome, digest) = (excluded.outcome, excluded.digest)
"""


def trusted(connection: psycopg.Connection[Any]) -> list[OwnTable]:
    """The tables as they are, some of which may not be there.

    Raises SetupError: one is something else, such as a view, which would run as whoever reads it.
    """
    tables = look(connection, _TABLES)
    for table in (one for one in tables if one.there and one.problems):
        raise SetupError(
            f"refused: the ledger of runs cannot be trusted: {SCHEMA}.{table.name}"
            f" {'; '.join(table.problems)}",
            next_step="take that away; what was done is not known without the ledger",
        )
    return tables


@dataclass
class RunLedger:
    """The ledger of the database ``target``, on a connection of its own. ``id``: this run's, once it began.

    Raises psycopg.Error, and SetupError where the ledger is not to be had or not to be trusted.
    """

    connection: psycopg.Connection[Any]
    target: Target
    id: int = field(default=0)

    @classmethod
    def open(cls, target: Target) -> RunLedger:
        """Connect. Raises SetupError: a pooler stands in between."""
        conninfo = unlimited(target.conninfo, target.major)
        connection = connect(conninfo, autocommit=True, application_name=_APPLICATION)
        connection.prepare_threshold = None
        try:
            direct(connection)
            for setting in _SETTINGS:
                connection.execute(setting.encode())
        except BaseException:
            connection.close()
            raise
        return cls(connection, target)

    def close(self) -> None:
        self.connection.close()

    @property
    def user(self) -> str:
        return self.connection.info.user

    def prepare(self) -> str:
        """Make the tables where there are none. Returns why that cannot be done, empty when they are there.

        Raises SetupError: they are there, and this role may not write them, or they are no ledger.
        """
        tables = trusted(self.connection)
        for table in (one for one in tables if one.there):
            if not table.writable:
                role = Identifier(self.user).as_string()
                raise SetupError(
                    f"refused: the role {role} may not write the ledger of runs, {SCHEMA}.{table.name}, which"
                    f" is {table.owner}'s",
                    next_step=f"as that role: GRANT USAGE ON SCHEMA pgrehearse TO {role};"
                    f" GRANT SELECT, INSERT, UPDATE ON pgrehearse.run, pgrehearse.step TO {role};",
                )
        there = {table.there for table in tables}
        if there == {True}:
            return ""
        if there == {True, False}:
            raise SetupError(
                "refused: one of pgrehearse.run and pgrehearse.step is gone",
                next_step="put it back from a backup, or drop the other one if no run is unfinished",
            )
        try:
            with self.connection.transaction():
                create(self.connection, "runs")
        except psycopg.errors.InsufficientPrivilege as error:
            role, database = (Identifier(name).as_string() for name in (self.user, self.target.database))
            reason = str(error).strip().splitlines()[0]
            return f"{reason}; as its owner: GRANT CREATE ON DATABASE {database} TO {role}"
        return ""

    def place(self) -> str:
        """System identifier, timeline and database: what a copy has not in common with its origin."""
        row = self.connection.execute(_PLACE).fetchone()
        assert row is not None
        return f"{row[0]} {self.target.oid}"

    def begin(self, work: RunWork, *, from_top: bool) -> Unfinished | None:
        """Record that the run begins. Returns what it goes on from; its steps are this run's then."""
        with self.connection.transaction():
            # We hold the lock: who is said to be running is gone.
            self.connection.execute(
                "UPDATE pgrehearse.run SET outcome = 'stopped' WHERE runbook = %s AND outcome = 'running'",
                [work.runbook],
            )
            place = self.place()
            earlier = None if from_top else self._earlier(work, place)
            row = self.connection.execute(
                _BEGIN,
                {
                    "runbook": work.runbook,
                    "work": work.digest,
                    "given": work.given,
                    "parameters": Jsonb(dict(work.parameters)),
                    "phases": list(work.phases),
                    "environment": self.target.environment,
                    "place": place,
                    "continues": earlier["id"] if earlier else None,
                },
            ).fetchone()
            assert row is not None
            self.id = int(row[0])
            if earlier is None:
                return None
            self.connection.execute(_COPY, [self.id, earlier["id"]])
            return Unfinished(earlier["started"].isoformat(timespec="seconds"), tuple(self._rows()))

    def _earlier(self, work: RunWork, place: str) -> dict[str, Any] | None:
        """The newest run that did something, if it is one to go on from.

        A run with other values is passed by, unless it rolled back: what else that undid is not known.
        """
        cursor = self.connection.cursor(row_factory=dict_row)
        for run in cursor.execute(_NEWEST, [work.runbook]).fetchall():
            if run["given"] != work.given:
                if run["back"]:
                    return None
                continue
            same = (run["work"], run["place"]) == (work.digest, place)
            return run if same and run["outcome"] != "done" else None
        return None

    def _rows(self) -> list[RunRow]:
        cursor = self.connection.cursor(row_factory=dict_row)
        return [
            RunRow(
                (one["line"], one["statement"], one["generated"]),
                one["phase"],
                one["digest"],
                one["outcome"],
                one["of_the_session"],
                one["state"],
            )
            for one in cursor.execute(_ROWS, [self.id])
        ]

    def begun(self, row: RunRow) -> None:
        """Record what cannot be recorded in its own transaction, before it begins; or that a step failed."""
        self.connection.execute(_BEGUN, [self.id, *row.key, row.phase, row.digest, row.outcome])

    def finish(self, outcome: str) -> None:
        """Record how the run ended: done or stopped."""
        self.connection.execute(
            "UPDATE pgrehearse.run SET outcome = %s, finished = pg_catalog.clock_timestamp() WHERE id = %s",
            [outcome, self.id],
        )

    def note(self, rows: Sequence[RunRow]) -> str:
        """The statement that records ``rows``, for the session that did it; it follows `session_state`."""
        values = [
            f"({self.id}, {row.key[0]}, {row.key[1]}, {row.key[2]}, {quote_literal(row.phase)},"
            f" {quote_literal(row.digest)}, {quote_literal(row.outcome)}, {row.of_the_session},"
            f" {'asked' if place == len(rows) else 'NULL'})"
            for place, row in enumerate(rows, 1)
        ]
        text = queries.text(
            "note_steps", user=quote_literal(self.user), count=len(rows), rows=", ".join(values)
        )
        return text.decode()
