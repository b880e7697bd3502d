"""All tests of the migrations on one server, each on databases of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pgrehearse.connections import connect
from pgrehearse.errors import ExpectationError, PgRehearseError
from pgrehearse.execution.databases import Databases
from pgrehearse.execution.seeds import load_where_empty
from pgrehearse.findings import Finding
from pgrehearse.migration.runner import versions
from pgrehearse.migration.smoke import contract, smoke
from pgrehearse.migration.trial.dbmate import Dbmate
from pgrehearse.migration.trial.release import Release
from pgrehearse.migration.trial.roundtrip import RoundTrip, apply
from pgrehearse.migration.trial.tried import FAILED, NOT_RUN, OK, Tried, different, failed, from_error
from pgrehearse.schema import Schema, differences, read
from pgrehearse.servers.base import Server
from pgrehearse.text.front_matter import Database
from pgrehearse.text.migration_files import Migration, statements
from pgrehearse.text.project import Project
from pgrehearse.text.split import Statement

__all__ = ["TrialPlan", "run"]

#: Findings of the smoke test that are told here.
_SHOWN = 5
_EMPTY = Database(empty=True)


@dataclass(frozen=True)
class TrialPlan:
    """What to try besides the round trips.

    Attributes:
        project: whose migrations, seed and contract.
        rows: rows of the seed.
        base: an earlier release to start from, if any.
        dbmate: the program, or why there is none; None when nobody asked for it.
    """

    project: Project
    migrations: tuple[Migration, ...]
    rows: int = 1000
    base: Release | None = None
    dbmate: Dbmate | PgRehearseError | None = None


def run(server: Server, plan_: TrialPlan) -> Iterator[Tried]:
    """Try everything and yield each step when it is done. Databases made for it are dropped at the end.

    A step's status says what came of it; only trouble with the server itself is raised, as SetupError.
    """
    databases = Databases(server, plan_.project)
    try:
        yield from _Run(server, databases, plan_).steps()
    finally:
        databases.close()


def _up(migration: Migration) -> Iterable[Statement]:
    try:
        return statements(migration, migration.up)
    except PgRehearseError:  # whoever applies it says so
        return ()


class _Run:
    def __init__(self, server: Server, databases: Databases, plan_: TrialPlan) -> None:
        self.server = server
        self.databases = databases
        self.plan = plan_
        self.schema: Schema | None = None

    def steps(self) -> Iterator[Tried]:
        migrations = self.plan.migrations
        full = self._empty("up")
        try:
            apply(full, migrations)
        except PgRehearseError as error:
            yield from_error("up from nothing", error)
            return
        self.schema = read(full)
        yield Tried("up from nothing", OK, f"{len(migrations)} migrations")
        trip = RoundTrip(migrations, lambda: self._empty("round_trip"))
        yield from trip.steps()
        yield self._dbmate_reads(full)
        yield self._tried("dbmate applies", self._dbmate_applies)
        yield self._tried("upgrade", self._upgrade)
        seed = self._tried("seed", lambda: self._seed(full))
        yield seed
        if seed.status == FAILED:
            yield Tried("smoke", NOT_RUN, "the seed failed")
        else:
            yield self._tried("smoke", lambda: self._smoke(full))

    def _tried(self, name: str, check: Callable[[], Tried]) -> Tried:
        try:
            return check()
        except PgRehearseError as error:
            return from_error(name, error)

    def _empty(self, hint: str) -> str:
        """A database with nothing but the roles of the project, which the migrations may make again."""
        roles = self.databases.roles
        roles.set_aside(one.sql for migration in self.plan.migrations for one in _up(migration))
        name = self.databases.fresh(_EMPTY, f"test_{hint}")
        roles.declare(name)
        return self.server.dsn(name)

    # --- an earlier release --------------------------------------------------------------------------

    def _upgrade(self) -> Tried:
        base = self.plan.base
        if base is None:
            return Tried("upgrade", NOT_RUN, "--base names an earlier release", wanted=False)
        name = f"upgrade from {base.ref}"
        if not base.migrations:
            return Tried(name, NOT_RUN, f"{base.ref} has no migrations")
        conninfo = self._empty("upgrade")
        apply(conninfo, base.migrations)
        rows = "without rows"
        if base.seed is not None:
            with connect(conninfo, autocommit=True) as connection:
                load_where_empty(connection, base.seed, self.plan.rows)
            rows = "with its rows"
        try:
            count = apply(conninfo, self.plan.migrations)
        except PgRehearseError as error:
            return from_error(name, error)
        problems = self._compared(conninfo, "the upgraded database")
        detail = f"{rows}, {count} on top of {len(base.migrations)}"
        return self._judged(name, problems, detail, "fresh and upgraded databases must end equal")

    # --- rows ----------------------------------------------------------------------------------------

    def _seed(self, full: str) -> Tried:
        seed = self.plan.project.seed
        if not seed.is_file():
            return Tried("seed", NOT_RUN, f"no {self.plan.project.relative(seed)}", wanted=False)
        with connect(full, autocommit=True) as connection:
            load_where_empty(connection, seed, self.plan.rows)
        return Tried("seed", OK, f"rows={self.plan.rows}")

    def _smoke(self, full: str) -> Tried:
        path = self.plan.project.seed.with_name("smoke.sql")
        if not path.is_file():
            return Tried("smoke", NOT_RUN, f"no {self.plan.project.relative(path)}", wanted=False)
        report = smoke.run(full, contract.load(path), smoke.SmokeOptions())
        if not report.findings:
            return Tried("smoke", OK, f"{report.tried} entries")
        said = [f.message + (f" ({f.about})" if f.about not in f.message else "") for f in report.findings]
        found = [replace(f, message=text, about="") for f, text in zip(report.findings, said, strict=True)]
        if (more := len(found) - _SHOWN) > 0:
            found[_SHOWN:] = [Finding(f"{more} more", path, kind="contract")]
        return Tried("smoke", FAILED, findings=tuple(found), next_step="pgrehearse db smoke says more")

    # --- dbmate --------------------------------------------------------------------------------------

    def _without_dbmate(self, name: str) -> Tried | None:
        if self.plan.dbmate is None:
            return Tried(name, NOT_RUN, "--dbmate asks for it", wanted=False)
        if isinstance(self.plan.dbmate, PgRehearseError):
            problem = self.plan.dbmate
            return Tried(name, NOT_RUN, problem.message, next_step=problem.next_step or "")
        return None

    def _dbmate_reads(self, full: str) -> Tried:
        """Nothing is pending for dbmate after our up."""
        name = "dbmate reads"
        if (missing := self._without_dbmate(name)) is not None:
            return missing
        assert isinstance(self.plan.dbmate, Dbmate)
        try:
            said = self.plan.dbmate.run(full, self.plan.project.migrations, "status")
        except ExpectationError as error:
            return from_error(name, error)
        pending = [line.strip() for line in said.splitlines() if line.startswith("[ ]")]
        problems = [f"for dbmate this is pending: {line}" for line in pending]
        if "Pending: 0" not in said and not problems:
            problems = [f"dbmate status said: {' '.join(said.split())[:200]}"]
        detail = f"our ledger, nothing pending (dbmate {self.plan.dbmate.version})"
        return self._judged(name, problems, detail, "")

    def _dbmate_applies(self) -> Tried:
        """dbmate makes the same schema, and nothing is pending for us after it."""
        name = "dbmate applies"
        if (missing := self._without_dbmate(name)) is not None:
            return missing
        assert isinstance(self.plan.dbmate, Dbmate)
        conninfo, folder = self._empty("dbmate"), self.plan.project.migrations
        self.plan.dbmate.run(conninfo, folder, "migrate")
        problems = self._compared(conninfo, "the database dbmate made")
        states = versions.read(conninfo, self.plan.migrations)
        problems += [
            f"for us, {state.label} is {state.state}" for state in states if state.state != "applied"
        ]
        return self._judged(name, problems, "an equal schema, nothing pending for us", "")

    def _compared(self, conninfo: str, what: str) -> list[str]:
        assert self.schema is not None
        return different(differences(self.schema, read(conninfo)), f"{what} lacks", f"{what} has besides")

    def _judged(self, name: str, problems: Sequence[str], detail: str, next_step: str) -> Tried:
        if problems:
            return failed(name, problems, next_step)
        return Tried(name, OK, detail)
