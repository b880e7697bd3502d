"""Runs cells, one after another, in named sessions, and checks what each one says will happen.

The same executor serves the rehearsal, the operator's command and the notebook. A cell that must block
(``wait``) is started, proven blocked with ``pg_blocking_pids``, and left; after every later cell the executor
waits until each such statement has either finished or is proven blocked still, so a run has one order only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import which

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pgrehearse.errors import SetupError
from pgrehearse.execution import folders, traces
from pgrehearse.execution.bash_cell import BashCells
from pgrehearse.execution.blockers import Blockers
from pgrehearse.execution.cell_checks import check_output, error_failure, spaced
from pgrehearse.execution.cell_messages import messages
from pgrehearse.execution.escort import Applying, Escort, Looking
from pgrehearse.execution.onlooker import Onlooker
from pgrehearse.execution.python_cell import PythonCells
from pgrehearse.execution.results import CellResult, wrong
from pgrehearse.execution.session import Message, Session
from pgrehearse.execution.unlimited import unlimited
from pgrehearse.findings import Finding
from pgrehearse.text.document import LOOKING, Cell
from pgrehearse.text.passwords import redacted
from pgrehearse.text.project import Project

__all__ = ["Executor", "check_output"]

#: Seconds a cell may take without a ``timeout`` of its own.
TIMEOUT = 60.0
#: Seconds between two looks at whether a statement is blocked.
_LOOK = 0.005
#: SQLSTATEs with which a waiting statement ends by itself: lock_timeout, cancellation by statement_timeout.
_ENDS_ALONE = ("55P03", "57014")


class _Pending:
    """A cell whose statement is proven blocked and will complete later."""

    def __init__(self, cell: Cell, session: Session, started: float) -> None:
        self.cell = cell
        self.session = session
        self.started = started


class Executor:
    """Sessions of one run against one database.

    Args:
        conninfo: libpq connection string of the database.
        environment: libpq variables (PGHOST, ...) that say the same to Python cells.
        path: the document, for messages.
        major: server major, for ``needs`` and ``until``.
        values: parameter values, put into SQL quoted and into Python as variables.
        timeout: seconds a cell may take when it has no timeout of its own. None: as long as it must, on an
            operator's database; no setting of the role limits it either.
        compare: check outputs against the text fences; accept mode does not.
        project: whose ``db/`` the folder of bash cells holds a copy of.
        programs: what cells start; where one is missing on PATH, every cell is skipped and says so.
        onlooker: watches the sessions.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        environment: Mapping[str, str],
        path: Path,
        major: int,
        values: Mapping[str, str] | None = None,
        timeout: float | None = TIMEOUT,
        compare: bool = True,
        project: Project | None = None,
        programs: Sequence[str] = (),
        onlooker: Onlooker | None = None,
    ) -> None:
        environment = dict(environment)
        if timeout is None:
            conninfo = unlimited(conninfo, major)
            environment["PGOPTIONS"] = str(conninfo_to_dict(conninfo)["options"])
        self.conninfo = conninfo
        self.path = path
        self.major = major
        self.values = dict(values or {})
        self.timeout = timeout
        self.compare = compare
        self.sessions: dict[str, Session] = {}
        self.python = PythonCells(path, environment, self.values)
        self.bash = BashCells(project, dict(environment), self.values)
        self.onlooker = onlooker or Onlooker()
        self._lacking = next((name for name in programs if which(name) is None), "")
        self._blockers = Blockers(self._conninfo("pgrehearse monitor"))
        self._pending: dict[str, _Pending] = {}

    def __enter__(self) -> Executor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End every session; a statement still under way is canceled first, so nothing stays behind."""
        for session in self.sessions.values():
            if not session.finished and (session.error is None or not session.error.lost):
                session.cancel()
        for session in self.sessions.values():
            session.close()
        self._blockers.close()
        self.sessions.clear()
        self._pending.clear()
        self.python.close()
        self.bash.close()

    def run(self, cell: Cell, escort: Escort | None = None) -> list[CellResult]:
        """Run one cell, then settle. Returns its result and those of waiting cells that completed.

        ``escort`` goes along with its statements, unless its phase only looks.

        A cell that was proven blocked gives its result in a later call.
        """
        if reason := self._not_here(cell):
            return [CellResult(cell, "skipped", reason=reason)]
        started = time.monotonic()
        results = self._sql(cell, started, escort) if cell.language == "sql" else [self._process(cell)]
        return results + self._settle()

    def finish(self) -> list[CellResult]:
        """End of the document: a cell left waiting is an error."""
        results = self._settle()
        for pending in list(self._pending.values()):
            blockers = self._blocker_names(pending.session)
            failure = wrong(
                f"the document ends while this statement still waits for session {blockers}",
                pending.cell.first_line,
                next_step=f"let it complete: add a cell that ends the transaction of session {blockers}",
            )
            results.append(self._result(pending.cell, pending.session, pending.started, failure))
        self._pending.clear()
        return results

    def recovered(self) -> bool:
        """Roll back what a failure broke, so that another cell can run; False: the server is gone."""
        for session in self.sessions.values():
            if session.error is not None and session.error.lost:
                return False
            if session.finished and session.broken:
                session.run([Message("ROLLBACK", 1)])
        return True

    def session(self, name: str) -> Session:
        """The session of that name, connected when it is first used."""
        if name not in self.sessions:
            self.sessions[name] = Session(name, self._conninfo(f"pgrehearse {name}"), self.onlooker)
        return self.sessions[name]

    @property
    def pids(self) -> set[int]:
        """Process ids of all its connections to the database."""
        own = (*(session.pid for session in self.sessions.values()), self._blockers.pid)
        return {pid for pid in own if pid is not None}

    def blocked_by(self, session: Session) -> set[int]:
        """Process ids that block ``session`` right now, from ``pg_blocking_pids``."""
        return self._blockers.of(session)

    def busy_seconds(self) -> float:
        """Seconds in which at least one session had a statement under way, or another cell ran."""
        processes = [*self.python.intervals, *self.bash.intervals]
        spans = sorted([*processes, *(i for s in self.sessions.values() for i in s.intervals)])
        total, reached = 0.0, float("-inf")
        for start, end in spans:
            total += max(0.0, end - max(start, reached))
            reached = max(reached, end)
        return total

    def _seconds(self, cell: Cell) -> float:
        """How long ``cell`` may take. One that claims to wait has to show that in time, wherever it runs."""
        without = TIMEOUT if cell.options.wait else math.inf
        return cell.options.timeout or (without if self.timeout is None else self.timeout)

    def _conninfo(self, application_name: str) -> str:
        return psycopg.conninfo.make_conninfo(self.conninfo, application_name=application_name)

    def _not_here(self, cell: Cell) -> str:
        """Why the cell is not for this machine and server; empty when it is."""
        if self._lacking:
            return f"needs {self._lacking}, which is not on PATH here"
        options = cell.options
        if options.runs_on(self.major):
            return ""
        if options.needs is not None and self.major < options.needs:
            return f"needs PostgreSQL {options.needs} or later"
        return f"for PostgreSQL {options.until} and earlier"

    def _process(self, cell: Cell) -> CellResult:
        limit = self._seconds(cell)
        if cell.language == "python":
            result = self.python.run(cell, limit)
        else:
            folder, before = folders.hold(self.bash.folder()), traces.take(self.conninfo)
            result = self.bash.run(cell, limit)
            quiet = before is not None and before.unchanged(traces.take(self.conninfo), cell.source)
            result = replace(result, quiet=quiet, folder=folder)
        return result if result.failure else self._checked(result)

    def _checked(self, result: CellResult) -> CellResult:
        """``result``, failed when its output is not the expected one."""
        failure = check_output(result.cell, result.output, self.major) if self.compare else None
        return replace(result, status="failed", failure=failure) if failure else result

    def _sql(self, cell: Cell, started: float, escort: Escort | None) -> list[CellResult]:
        try:
            session = self.session(cell.options.session)
        except SetupError as error:
            unconnected = wrong(error.message, cell.first_line, next_step=error.next_step or "")
            return [CellResult(cell, "failed", failure=unconnected)]
        results = self._join(session)
        if any(result.failure for result in results):
            return [*results, CellResult(cell, "notrun")]
        session.start(messages(cell, self.values, self.path), self._escort(cell, escort))
        limit = started + self._seconds(cell)
        if cell.options.wait is not None:
            failure = self._prove_wait(cell, session, limit)
            if failure is None and cell.options.expect not in _ENDS_ALONE:
                self._pending[session.name] = _Pending(cell, session, started)
                return results
        else:
            failure = None
        failure = failure or self._complete(session, cell, limit)
        return [*results, self._result(cell, session, started, failure)]

    def _escort(self, cell: Cell, given: Escort | None) -> Escort | None:
        """Who goes along with the statements of ``cell``: steps that only look have an own one."""
        if cell.phase in LOOKING:
            return Looking()
        return given or (Applying() if cell.phase else None)

    def _complete(self, session: Session, cell: Cell, limit: float) -> Finding | None:
        """Let ``session`` finish until ``limit``; past it the statement is canceled."""
        while not session.pump(max(0.0, min(self.onlooker.every, limit - time.monotonic()))):
            if time.monotonic() >= limit:
                return self._time_out(session, cell)
            self.onlooker.looks(session)
        return None

    def _time_out(self, session: Session, cell: Cell) -> Finding:
        running = session.current
        names = self._blocker_names(session)
        session.cancel()
        give_up = time.monotonic() + 5.0
        while not session.pump(0.1) and time.monotonic() < give_up:
            pass
        line = cell.line + (running.line if running else 1)
        waited = f", it waits for session {names}" if names else ""
        step = (
            f'say so with wait="{names}", or end the transaction of {names} before'
            if names
            else 'give the cell more time, such as timeout="2min"'
        )
        return wrong(f"the statement did not finish in time{waited}", line, next_step=step)

    def _prove_wait(self, cell: Cell, session: Session, limit: float) -> Finding | None:
        """None once ``pg_blocking_pids`` shows that the wanted session blocks this one, or has blocked it."""
        wanted = cell.options.wait or ""
        if wanted not in self.sessions:
            self._complete(session, cell, limit)
            return wrong(f"session {wanted} is not open", cell.line, next_step="use it in an earlier cell")
        while not session.pump(_LOOK):
            if self.sessions[wanted].pid in self.blocked_by(session):
                return None
            if time.monotonic() >= limit:
                return self._time_out(session, cell)
        if session.error is not None and session.error.sqlstate != cell.options.expect:
            return None  # reported as the unexpected error it is
        if cell.options.expect == "55P03" and self._blockers.gave_up_on(session, self.sessions[wanted]):
            return None
        return wrong(
            f"was to wait for session {wanted}, but completed without waiting",
            cell.first_line,
            detail="\n".join(session.output),
            next_step=f"let session {wanted} hold a conflicting lock, or remove wait",
        )

    def _join(self, session: Session) -> list[CellResult]:
        """Before a session gets new work, the statement it was left waiting with must complete."""
        pending = self._pending.pop(session.name, None)
        if pending is None:
            return []
        limit = time.monotonic() + self._seconds(pending.cell)
        failure = self._complete(session, pending.cell, limit)
        return [self._result(pending.cell, session, pending.started, failure)]

    def _settle(self) -> list[CellResult]:
        """Wait until each waiting statement has finished, or is blocked still.

        One that finished may have let another go on, so look again until none did.
        """
        results: list[CellResult] = []
        while done := [result for name in list(self._pending) for result in self._look(name)]:
            results += done
        return results

    def _look(self, name: str) -> list[CellResult]:
        """The result of a waiting statement; none while it is blocked."""
        pending = self._pending[name]
        limit = time.monotonic() + self._seconds(pending.cell)
        failure = None
        while not pending.session.pump(_LOOK):
            if self.blocked_by(pending.session):
                return []
            if time.monotonic() >= limit:
                failure = self._time_out(pending.session, pending.cell)
                break
        del self._pending[name]
        return [self._result(pending.cell, pending.session, pending.started, failure)]

    def _blocker_names(self, session: Session) -> str:
        pids = self.blocked_by(session)
        return ", ".join(sorted(s.name for s in self.sessions.values() if s.pid in pids))

    def _result(self, cell: Cell, session: Session, started: float, failure: Finding | None) -> CellResult:
        failure = failure or error_failure(cell, session.error)
        result = CellResult(
            cell,
            "failed" if failure else "passed",
            output="\n".join(spaced(session.output)),
            failure=failure,
            seconds=time.monotonic() - started,
            generated=tuple(map(redacted, session.generated)),
            sent=tuple(map(redacted, session.sent)),
        )
        return result if failure else self._checked(result)
