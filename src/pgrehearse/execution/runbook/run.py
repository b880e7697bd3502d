"""One run of a runbook on an operator's database, from the first step to the last or the first surprise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgrehearse.clock import now
from pgrehearse.environments.target import Target
from pgrehearse.execution.backoff import Backoff
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.records import text_digest
from pgrehearse.execution.runbook.operator import Operator
from pgrehearse.execution.runbook.reporter import Reporter
from pgrehearse.execution.runbook.resume import Unfinished, unfinished
from pgrehearse.execution.runbook.run_log import RunLog
from pgrehearse.execution.runbook.steps import FORWARD, Step, steps_of
from pgrehearse.text.document import Document
from pgrehearse.text.passwords import sealed

__all__ = ["RunRequest", "carry_out"]

#: Seconds a step may take: whether a long build or backfill is canceled is the operator's decision.
_PATIENCE = 7 * 24 * 3600.0


@dataclass(frozen=True)
class RunRequest:
    """What is carried out, where, and how patiently.

    Attributes:
        values: of every parameter.
        logs: the folder with the logs of earlier runs; this one's goes there too.
        log_file: a place for this run's log instead.
        from_top: repeat what an earlier run has done.
        lock_timeout: how long a step waits for a lock, in PostgreSQL's notation.
    """

    document: Document
    target: Target
    values: Mapping[str, str]
    logs: Path
    phases: Sequence[str] = FORWARD
    log_file: Path | None = None
    from_top: bool = False
    lock_timeout: str = "2s"
    backoff: Backoff = field(default_factory=Backoff)

    @property
    def identity(self) -> dict[str, Any]:
        """What must be equal for a run to go on where another stopped. Passwords in it are sealed."""
        target = self.target
        place = f"{self.document.path.name} {target.where}/{target.database} {target.oid}"
        steps = steps_of(self.document, self.phases, self.values)
        sent = [step.text for step in steps if step.cell.language == "sql"]
        return {
            "runbook": self.document.path.name,
            "text": text_digest(self.document.text),
            "values": {name: sealed(name, value, sent, place) for name, value in self.values.items()},
            "database": f"{target.where}/{target.database} {target.oid}",
            "phases": list(self.phases),
        }

    def earlier(self) -> Unfinished | None:
        """The run this one goes on from; None: it begins at the top."""
        if self.from_top:
            return None
        own = [self.log_file] if self.log_file and self.log_file.is_file() else []
        return unfinished({*self.logs.glob("*.jsonl"), *own}, self.identity)


def carry_out(request: RunRequest, reporter: Reporter) -> bool:
    """Carry ``request`` out; what becomes of it is told to ``reporter`` and logged. False: an answer was no.

    Raises:
        ExpectationError: a step did something else than the runbook says, or its transaction stayed open.
        SetupError: the log cannot be written, the database is gone, lock_timeout was refused.
    """
    earlier = request.earlier()
    done = earlier.done if earlier else frozenset()
    stamp = now().strftime("%Y%m%dT%H%M%S.%fZ")
    log = RunLog(request.log_file or request.logs / f"{stamp}-{request.document.path.stem}.jsonl")
    reporter.starts(log.path, earlier)
    target = request.target
    log.write(
        "start",
        identity=request.identity,
        environment=target.environment,
        version=target.version,
        user=target.user,
        resumed=sorted(done),
    )
    try:
        declined = _steps(request, reporter, log, done)
        if declined is None:
            log.write("done")
        else:
            log.write("stopped", error="Declined")
    except BaseException as error:
        log.write("stopped", error=type(error).__name__)
        raise
    finally:
        log.close()
    if declined is not None:
        reporter.stopped(declined)
        return False
    reporter.finished(log.path)
    return True


def _steps(request: RunRequest, reporter: Reporter, log: RunLog, done: frozenset[int]) -> Step | None:
    """Carry the steps out, without those of the Apply phase in lines ``done``; the step that was declined."""
    executor = Executor(
        request.target.conninfo,
        environment=request.target.libpq_environment(),
        path=request.document.path,
        major=request.target.major,
        values=request.values,
        timeout=_PATIENCE,
    )
    with executor:
        operator = Operator(request.document, executor, log, request.backoff, reporter)
        operator.limit_lock_waits(request.lock_timeout)
        for step in steps_of(request.document, request.phases, request.values):
            if not operator.carry_out(step, done=step.cell.phase == "Apply" and step.cell.line in done):
                return step
        operator.finish()
    return None
