"""What was requested, approved and applied in an environment: read, and changed by who may.

Every change is a call of a function of ``sql/promotion.sql``, which decides; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.execution.exclusion import Key

__all__ = ["LOCK", "OPEN", "Approval", "Promotion", "Rules", "StepRecord", "Store", "opened", "told"]

#: What an apply holds in the database that keeps the promotions: "pgre" and "prom" as numbers.
LOCK: Key = (0x70677265, 0x70726F6D)
#: States of a promotion that is neither done nor given up.
OPEN = ("requested", "approved", "applying", "stopped")
_BROUGHT = """
SELECT i.version, i.sha256, pg_catalog.max(d.at)
  FROM pgrehearse_promotion.item AS i CROSS JOIN LATERAL (
       SELECT pg_catalog.max(s.changed_at) AS at, pg_catalog.bool_and(s.promotion IS NOT NULL) AS everywhere
         FROM pgrehearse_promotion.target AS t
         LEFT JOIN pgrehearse_promotion.step AS s
              ON (s.promotion, s.target, s.item, s.outcome) = (t.promotion, t.number, i.number, 'done')
        WHERE t.promotion = i.promotion) AS d
 WHERE d.everywhere GROUP BY 1, 2
"""
#: What goes wrong by somebody's or something's state, told as the database tells it.
_REFUSED = ("42501", "55000")


@dataclass(frozen=True)
class Rules:
    """What this environment asks for, as it was installed."""

    version: int
    environment: str
    prefix: str
    approvals: int
    gates: list[str]


@dataclass(frozen=True)
class Promotion:
    """One promotion. ``now``: the server's clock when it was read."""

    id: int
    state: str
    plan_hash: str
    requested_by: str
    requested_at: datetime
    why: str
    changed_by: str
    changed_at: datetime
    said: str
    at_work: bool
    now: datetime


@dataclass(frozen=True)
class Approval:
    """One approval.

    Attributes:
        problem: what keeps it from counting now; empty when it counts.
        membership: how the approver had that role then, from the person on: member, role, granted_by, and
            whether with the right to grant it on (admin). Empty where an earlier version recorded it.
    """

    approved_by: str
    at: datetime
    problem: str
    membership: list[dict[str, Any]]


@dataclass(frozen=True)
class StepRecord:
    """A migration of the plan in one of its databases; ``outcome`` is None before it was started."""

    target: int
    item: int
    database: str
    version: str
    name: str
    sha256: str
    outcome: str | None
    started_at: datetime | None
    changed_at: datetime | None
    detail: Mapping[str, Any] | None


_RULES = "SELECT version, environment, prefix, approvals, gates FROM pgrehearse_promotion.setting"
_PROMOTIONS = f"""
SELECT p.id, p.state, p.plan_hash, p.requested_by, p.requested_at, p.why, p.changed_by, p.changed_at, p.said,
       EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {LOCK[0]} AND l.objid = {LOCK[1]}
                  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                     WHERE d.datname = pg_catalog.current_database())) AS at_work,
       pg_catalog.clock_timestamp() AS now
  FROM pgrehearse_promotion.promotion AS p ORDER BY p.id DESC LIMIT %s
"""
_STEPS = """
SELECT t.number AS target, i.number AS item, t.database, i.version, i.name, i.sha256, s.outcome, s.started_at,
       s.changed_at, s.detail
  FROM pgrehearse_promotion.target AS t JOIN pgrehearse_promotion.item AS i USING (promotion)
  LEFT JOIN pgrehearse_promotion.step AS s
    ON s.promotion = t.promotion AND s.target = t.number AND s.item = i.number
 WHERE t.promotion = %(promotion)s AND (%(target)s::int IS NULL OR t.number = %(target)s)
 ORDER BY t.number, i.number
"""


#: Whose the schema is, and whether that is a role by which `install` makes it: one that nobody logs in as.
_OWNER = """
SELECT r.rolname, r.rolname ~ '^pgrehearse_.*_owner$' AND NOT r.rolcanlogin
  FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner
 WHERE n.nspname = 'pgrehearse_promotion'
"""
#: The session waits beside migrations for as long as they take, and for nobody's open transaction.
_SETTINGS = """
SET search_path = pg_catalog, pg_temp;
SET statement_timeout = 0;
SET idle_session_timeout = 0;
SET lock_timeout = '5s';
SET default_transaction_isolation = 'read committed';
"""


class Store:
    """The promotions kept in the database of ``connection``, which is in autocommit mode.

    Raises SetupError, with PostgreSQL's own words where it refuses.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def installed(self) -> bool:
        """Whether promotion was ever installed here.

        Raises SetupError: the schema is somebody's own. Its views and functions would run as whoever looks.
        """
        with told():
            row = self.connection.execute(_OWNER.encode()).fetchone()
        if row is not None and not row[1]:
            raise SetupError(
                f"refused: the schema pgrehearse_promotion belongs to {row[0]}, so nothing of it is believed",
                next_step="rename or drop it; then, as a role with CREATEROLE: pgrehearse promote install"
                " ENVIRONMENT",
            )
        return row is not None

    def rules(self) -> Rules:
        """The rules. Raises SetupError: nothing is installed here, or this role may not look."""
        if not self.installed():
            raise SetupError(
                "promotion is not installed in this database",
                next_step="as a role with CREATEROLE: pgrehearse promote install ENVIRONMENT",
            )
        with told():
            found = self.connection.cursor(row_factory=class_row(Rules)).execute(_RULES).fetchone()
        assert found is not None
        return found

    def promotions(self, limit: int = 20) -> list[Promotion]:
        """The last ones, newest first."""
        with told():
            cursor = self.connection.cursor(row_factory=class_row(Promotion))
            return cursor.execute(_PROMOTIONS.encode(), [limit]).fetchall()

    def current(self) -> Promotion | None:
        """The one that is open; PostgreSQL keeps it the only one."""
        return next((one for one in self.promotions() if one.state in OPEN), None)

    def approvals(self, promotion: int) -> list[Approval]:
        """What was approved, and what counts."""
        with told():
            cursor = self.connection.cursor(row_factory=class_row(Approval))
            query = "SELECT approved_by, at, problem, membership FROM pgrehearse_promotion.approvals(%s)"
            return cursor.execute(query, [promotion]).fetchall()

    def doubtful(self) -> dict[str, str]:
        """Who has the role of an approver and could have given it to himself: name -> by what."""
        with told():
            rows = self.connection.execute("SELECT person, by_what FROM pgrehearse_promotion.doubtful()")
            return {str(person): str(by_what) for person, by_what in rows}

    def brought(self) -> dict[tuple[str, str], datetime]:
        """When a promotion had brought a migration to all its databases: version and hash -> time.

        One that was skipped, or given up before, got it otherwise.
        """
        rows = self.connection.execute(_BROUGHT).fetchall()
        return {(version, sha256): at for version, sha256, at in rows}

    def steps(self, promotion: int, target: int | None = None) -> list[StepRecord]:
        """Every migration of the plan in every database of it, or in its ``target``-th, in order."""
        with told():
            cursor = self.connection.cursor(row_factory=class_row(StepRecord))
            return cursor.execute(_STEPS, {"promotion": promotion, "target": target}).fetchall()

    def request(self, items: Sequence[Mapping[str, str]], databases: Sequence[str], why: str) -> int:
        """A new promotion, by its number; the open one is superseded."""
        row = self._call("request(%s, %s, %s)", Jsonb(list(items)), list(databases), why)
        return int(row)

    def approve(self, promotion: int, plan_hash: str) -> str:
        """One approval by the person of this session; the state after it."""
        return str(self._call("approve(%s, %s)", promotion, plan_hash))

    def start(self, promotion: int, plan_hash: str, gates: Sequence[Mapping[str, Any]]) -> None:
        """Approvals, plan and gates are looked at again, and it is being applied."""
        self._call("start(%s, %s, %s)", promotion, plan_hash, Jsonb(list(gates)))

    def step(
        self, promotion: int, target: int, item: int, outcome: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Record what became of a migration in a database."""
        self._call("step(%s, %s, %s, %s, %s)", promotion, target, item, outcome, Jsonb(dict(detail or {})))

    def stop(self, promotion: int, said: str) -> None:
        """It ended early, for the reason ``said``."""
        self._call("stop(%s, %s)", promotion, said)

    def finish(self, promotion: int) -> None:
        """All of it is done."""
        self._call("finish(%s)", promotion)

    def cancel(self, promotion: int, said: str) -> None:
        """It is given up, for the reason ``said``."""
        self._call("cancel(%s, %s)", promotion, said)

    def _call(self, call: LiteralString, *values: object) -> Any:
        with told():
            row = self.connection.execute("SELECT pgrehearse_promotion." + call, values).fetchone()
        return row[0] if row else None


@contextmanager
def opened(conninfo: str, what: str) -> Iterator[Store]:
    """The store of a database, for ``pgrehearse promote what``."""
    with (
        told(),
        connect(conninfo, autocommit=True, application_name=f"pgrehearse promote {what}") as connection,
    ):
        connection.execute(_SETTINGS)
        connection.prepare_threshold = None
        yield Store(connection)


@contextmanager
def told() -> Iterator[None]:
    """What PostgreSQL refuses is told in its words, and its hint says what to do."""
    try:
        yield
    except psycopg.Error as error:
        said = error.diag.message_primary or first_line(error)
        if error.sqlstate in _REFUSED:
            raise SetupError(
                f"refused by PostgreSQL: {said}",
                next_step=error.diag.message_hint
                or "ask for the role that may; pgrehearse promote status shows what is open",
            ) from None
        held = error.sqlstate == "55P03"
        raise SetupError(
            f"the promotions of this database could not be read or changed: {said}",
            next_step="somebody's transaction is open, see pg_stat_activity; then run this again"
            if held
            else "check the connection and its role, then run this again",
        ) from None
