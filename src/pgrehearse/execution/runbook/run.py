"""One run of a runbook on an operator's database, from the first step to the last or the first surprise."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from pgrehearse.clock import now
from pgrehearse.environments.target import Target
from pgrehearse.errors import SetupError
from pgrehearse.execution.backoff import Backoff
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.records import text_digest
from pgrehearse.execution.runbook import locks
from pgrehearse.execution.runbook.bookkeeping import Recorder, digest_of
from pgrehearse.execution.runbook.lock_waits import LockWaits
from pgrehearse.execution.runbook.operator import Operator
from pgrehearse.execution.runbook.recorded import RunWork, Unfinished
from pgrehearse.execution.runbook.reporter import Reporter
from pgrehearse.execution.runbook.run_ledger import RunLedger
from pgrehearse.execution.runbook.run_log import RunLog
from pgrehearse.execution.runbook.session_start import (
    limit_lock_waits,
    read_backslashes_as_they_are,
    refuse_to_only_read,
    refuse_to_pass_triggers_by,
)
from pgrehearse.execution.runbook.session_state import SessionState
from pgrehearse.execution.runbook.steps import FORWARD, Step, steps_of
from pgrehearse.execution.runbook.watch import Watch
from pgrehearse.text.document import LOOKING, Document
from pgrehearse.text.passwords import sealed

__all__ = ["RunRequest", "carry_out"]


@dataclass(frozen=True)
class RunRequest:
    """What is carried out, where, and how patiently.

    Attributes:
        values: of every parameter.
        logs: the folder of the run logs.
        log_file: a place for this run's log instead.
        from_top: repeat what an earlier run has done.
        lock_timeout: how long a step waits for a lock, in PostgreSQL's notation; None: what the runbook says.
    """

    document: Document
    target: Target
    values: Mapping[str, str]
    logs: Path
    phases: Sequence[str] = FORWARD
    log_file: Path | None = None
    from_top: bool = False
    lock_timeout: str | None = None
    backoff: Backoff = field(default_factory=Backoff)

    @property
    def work(self) -> RunWork:
        """What this run is about. Passwords in it are sealed."""
        place = f"{self.document.path.name} {self.target.database} {self.target.oid}"
        steps = steps_of(self.document, self.phases, self.values)
        sent = [step.text for step in steps if step.cell.language == "sql"]
        values = {name: sealed(name, value, sent, place) for name, value in self.values.items()}
        given = json.dumps(values, sort_keys=True)
        text = digest_of("\0".join((self.document.text, given, *self.phases)))
        return RunWork(self.document.path.name, text, digest_of(given), values, self.phases)

    @property
    def changes(self) -> bool:
        """Whether it is to do more than look."""
        return not set(self.phases) <= set(LOOKING)


def carry_out(request: RunRequest, reporter: Reporter) -> bool:
    """Carry ``request`` out; what becomes of it is told to ``reporter``, recorded and logged.

    Returns False when an answer was no.

    Raises:
        ExpectationError: a step did something else than the runbook says, or its transaction stayed open.
        SetupError: the log or the ledger cannot be written, another run is at work, the database is gone,
            lock_timeout was refused.
    """
    try:
        with ExitStack() as stack:
            ledger, earlier, notes = (
                _ledger(request, reporter, stack) if request.changes else (None, None, "")
            )
            log = stack.enter_context(closing(_log(request)))
            reporter.starts(log.path, earlier)
            if notes:
                reporter.tells(notes)
            return _logged(request, reporter, log, ledger, earlier)
    except psycopg.Error as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SetupError(
            f"the ledger of runs could not be read or written: {reason}",
            next_step="run it again when the cause is gone: it goes on where it was",
        ) from None


def _ledger(
    request: RunRequest, reporter: Reporter, stack: ExitStack
) -> tuple[RunLedger | None, Unfinished | None, str]:
    """The ledger with this run in it, what it goes on from, and why there is no ledger, if so."""
    ledger = RunLedger.open(request.target)
    stack.callback(ledger.close)
    locks.exclusive(ledger.connection, request.document.path.name, reporter.tells)
    lacking = ledger.prepare()
    if lacking:
        return None, None, f"not recorded in the database, so a later run begins at the top: {lacking}"
    return ledger, ledger.begin(request.work, from_top=request.from_top), ""


def _log(request: RunRequest) -> RunLog:
    stamp = now().strftime("%Y%m%dT%H%M%S.%fZ")
    return RunLog(request.log_file or request.logs / f"{stamp}-{request.document.path.stem}.jsonl")


def _logged(
    request: RunRequest, reporter: Reporter, log: RunLog, ledger: RunLedger | None, earlier: Unfinished | None
) -> bool:
    target, work = request.target, request.work
    log.write(
        "start",
        runbook=work.runbook,
        text=text_digest(request.document.text),
        values=dict(work.parameters),
        phases=list(work.phases),
        database=f"{target.where}/{target.database} {target.oid}",
        environment=target.environment,
        version=target.version,
        user=target.user,
        run=ledger.id if ledger else None,
        resumed=sorted(earlier.done) if earlier else [],
    )
    try:
        declined = _steps(request, reporter, log, ledger, earlier)
        log.write("done") if declined is None else log.write("stopped", error="Declined")
    except BaseException as error:
        with suppress(SetupError):  # what stopped the run is what there is to tell
            log.write("stopped", error=type(error).__name__)
        _finish(ledger, "stopped")
        raise
    if declined is not None:
        _finish(ledger, "stopped")
        reporter.stopped(declined)
        return False
    reporter.finished(log.path)
    # Last of all: a run that is killed before this is gone on with, and has nothing left to do.
    _finish(ledger, "done")
    return True


def _finish(ledger: RunLedger | None, outcome: str) -> None:
    if ledger is not None:
        with suppress(psycopg.Error):  # the next run sees what is recorded of the steps
            ledger.finish(outcome)


def _steps(
    request: RunRequest, reporter: Reporter, log: RunLog, ledger: RunLedger | None, earlier: Unfinished | None
) -> Step | None:
    """Carry the steps out, without what ``earlier`` has done; the step that was declined."""
    shown = request.work.parameters
    watch = Watch(
        request.target.conninfo,
        reporter,
        log,
        [value for name, value in request.values.items() if shown[name] != value],
    )
    waits = LockWaits(request.lock_timeout)
    executor = Executor(
        request.target.conninfo,
        environment=request.target.libpq_environment(),
        path=request.document.path,
        major=request.target.major,
        values=request.values,
        timeout=None,
        onlooker=watch,
    )
    steps = steps_of(request.document, request.phases, request.values, waits)
    state = SessionState("\n".join(step.text for step in steps))
    with executor, closing(watch):
        recorder = Recorder(ledger, earlier, state)
        operator = Operator(
            request.document, executor, recorder, log, request.backoff, reporter, watch, waits
        )
        read_backslashes_as_they_are(executor)
        limit_lock_waits(executor, waits)
        if request.changes:
            refuse_to_only_read(executor)
            refuse_to_pass_triggers_by(executor)
            operator.hold_lock()
        for step in steps:
            if not operator.carry_out(step):
                return step
        operator.finish()
    return None
