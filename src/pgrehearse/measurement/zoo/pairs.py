"""A runbook on a shape: run as an operator runs it, beside an application, and judged."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from pgrehearse.connections import connect
from pgrehearse.environments.target import open_target
from pgrehearse.errors import ExpectationError, PgRehearseError, first_line
from pgrehearse.execution.backoff import Backoff, Pause
from pgrehearse.execution.runbook.parameters import values_of
from pgrehearse.execution.runbook.preview import Part
from pgrehearse.execution.runbook.recorded import Unfinished
from pgrehearse.execution.runbook.run import RunRequest, carry_out
from pgrehearse.execution.runbook.steps import FORWARD, Step
from pgrehearse.execution.runbook.watch import Blocker, Progress
from pgrehearse.measurement.zoo.application import Application, Key
from pgrehearse.measurement.zoo.fillings import Filling
from pgrehearse.measurement.zoo.habitat import ROUNDS, ROUNDS_FORWARD, Habitat, has_word, not_true, prepared
from pgrehearse.measurement.zoo.line import Line
from pgrehearse.measurement.zoo.outcome import Fault, PairOutcome
from pgrehearse.measurement.zoo.subscriber import follows
from pgrehearse.text.document import LOOKING, Document

__all__ = ["tried"]

#: Seconds a run may take until its sessions are ended: rows are few, so it waits for something.
PATIENCE = 240.0
#: Where the cell stands: prose above it moves it, and each machine has the project in another folder.
_PLACE = re.compile(r"(?:/\S*/)?(?P<file>runbooks/[^\s/]+\.md):\d+")
_IN_TRANSACTION = """
SELECT FROM pg_catalog.pg_stat_activity
 WHERE datname = %s AND application_name = 'pgrehearse main' AND state ~ 'in transaction'
"""
_END = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datname = %s"
#: A step of a run fails like this once in a run that nobody disturbs: tried again once, without a pause.
_BACKOFF = Backoff(2, lambda seconds: None)
_STOP = re.compile(r"stop: [^\n]*")
#: A difference of rows, as `Contents` tells it.
_ROWS = re.compile(r"~ (.*): (\d+) rows less, (\d+) rows more")
#: What is another one in each run.
_NUMBERS = re.compile(r"\b(pid|process|oid|relation) \d+")


def tried(habitat: Habitat, document: Document, filling: Filling) -> PairOutcome:
    """The outcome of ``document`` on the shape of ``habitat``."""
    begun = time.monotonic()
    with habitat.copy() as database, TemporaryDirectory() as logs, habitat.subscriber(database) as other:
        try:
            outcome = _Try(habitat, document, filling, database, Path(logs), other).outcome()
        except Fault as fault:
            outcome = PairOutcome(fault.kind, fault.words)
        words = _NUMBERS.sub(r"\1 N", " ".join(outcome.words.split())).replace(database, "DATABASE")
    return replace(outcome, words=words[:400], seconds=time.monotonic() - begun)


@dataclass
class _Operator:
    """Whoever runs the runbook: a `Reporter` that says yes, and lets others work before and during steps."""

    before: Callable[[bool], None]
    phase: str = ""
    printed: list[str] = field(default_factory=list)

    def starts(self, log: Path, earlier: Unfinished | None) -> None: ...

    def tells(self, line: str) -> None: ...

    def step(self, step: Step) -> None:
        looks = step.cell.phase in LOOKING
        if not looks or self.phase != step.cell.phase:
            self.before(looks)  # what only looks is gone round once
        self.phase = step.cell.phase or ""

    def asks(self, step: Step) -> bool:
        return True

    def pauses(self, step: Step, pause: Pause) -> None: ...

    def sends(self, step: Step, parts: Sequence[Part]) -> None: ...

    def waits(self, step: Step, blockers: Sequence[Blocker]) -> None: ...

    def progress(self, step: Step, progress: Progress) -> None: ...

    def notice(self, step: Step, text: str) -> None: ...

    def output(self, step: Step, text: str) -> None:
        self.printed.append(text)

    def accepts(self, step: Step, unseen: str) -> bool:
        return True

    def skipped(self, step: Step, reason: str) -> None: ...

    def done_earlier(self, step: Step) -> None: ...

    def stopped(self, step: Step) -> None: ...

    def finished(self, log: Path) -> None: ...


@dataclass
class _Try:
    habitat: Habitat
    document: Document
    filling: Filling
    database: str
    logs: Path
    subscriber: str

    def outcome(self) -> PairOutcome:
        with (
            Application(self.habitat.application_dsn(self.database), self.habitat.shape) as application,
            connect(self.habitat.server.dsn(self.database), autocommit=True) as session,
        ):
            self.application, self.session = application, session
            prepared(session, self.filling.set_up)
            stopped = self._run(FORWARD, ROUNDS_FORWARD - 1)
            if stopped is None:
                return self._done()
            phase, words = stopped
            if phase not in ("", "Preflight"):  # empty: the run was refused before its first step
                raise Fault("refused late", f"{phase}: {words}")
            return self._refused(words)

    def _refused(self, words: str) -> PairOutcome:
        """Preflight refused: nothing has changed, also after somebody rolled back to be sure."""
        self._run(("Roll back",), ROUNDS)
        self._rounds(ROUNDS)
        self._well("traces")
        self._same("traces", "")
        return PairOutcome("refused", _PLACE.sub(r"\g<file>", words))

    def _done(self) -> PairOutcome:
        self._rounds(ROUNDS_FORWARD)
        self._well("broken")
        self._values()
        first = self.habitat.state(self.database)
        stopped = self._run(FORWARD, 0)
        if stopped is not None:
            raise Fault("broken", f"a second run: {stopped[0]}: {stopped[1]}")
        if changed := first.differences(self.habitat.state(self.database)):
            raise Fault("broken", f"a second run changes: {_told(changed)}")
        if not any(cell.phase == "Roll back" for cell in self.document.cells):
            return PairOutcome("done")
        stopped = self._run(("Roll back",), ROUNDS)
        self._rounds(ROUNDS)
        if stopped is not None and self._differences():  # else there was nothing to undo
            raise Fault("refused late", f"{stopped[0]}: {stopped[1]}")
        self._well("undone wrongly")
        self._same("undone wrongly", self.document.front.undo)
        return PairOutcome("done")

    def _run(self, phases: tuple[str, ...], rounds: int) -> tuple[str, str] | None:
        """Carry the phases out; the phase it stopped in and why, if it did.

        Before or during each step there is a round of requests, up to ``rounds`` in all.
        """
        values, logs = values_of(self.document, self.filling.values), self.logs
        line = Line(self.habitat, self.database, self.filling.table, self.application.round)
        operator = _Operator(lambda looks: self._before(looks, rounds, line))
        with _ended(self.habitat, self.database) as ended, closing(line):
            try:
                target = open_target(self.habitat.owner_dsn(self.database))
                carry_out(RunRequest(self.document, target, values, logs, phases, backoff=_BACKOFF), operator)
            except ExpectationError as error:
                if not ended.is_set():
                    text = "\n".join([error.message, *operator.printed[-1:]])
                    stop = _STOP.search(text)
                    return operator.phase, stop[0] if stop else error.message
            except PgRehearseError as error:
                if not ended.is_set():
                    return operator.phase, error.message
        if ended.is_set():
            raise Fault("stuck", f"{operator.phase}: ended after {PATIENCE:.0f} s")
        return None

    def _before(self, looks: bool, rounds: int, line: Line) -> None:
        line.close()
        if self.application.rounds < rounds:
            watch = self.habitat.zoo.watch
            if not watch.execute(_IN_TRANSACTION, [self.database]).fetchall():
                self.application.round() if looks else line.open()

    def _rounds(self, rounds: int) -> None:
        while self.application.rounds < rounds:
            self.application.round()

    def _well(self, kind: str) -> None:
        """Raises Fault: a request failed unannounced, answered wrongly, or a hold is false."""
        for failure in self.application.failures.values():
            if not has_word(failure.sql, tuple(self.filling.announced.get(failure.sqlstate, ()))):
                raise Fault(kind, f"a request failed: {failure}")
        if self.subscriber and not follows(self.habitat.server, self.database, self.subscriber):
            raise Fault(kind, "a subscriber gets no more rows")
        if not self.filling.changes_values and not self.application.failures:
            for key, rows in self.habitat.answers.items():
                mine = self.application.answers.get(key, rows)
                if mine != rows:
                    sql = " ".join(self.habitat.shape.sections["traffic"][key[1]].split())
                    raise Fault(kind, f"a request answered {mine[:1]} and not {rows[:1]}: {sql}")
        gone = tuple(word for words in self.filling.announced.values() for word in words)
        if false := self.habitat.false_holds(self.session, gone):
            raise Fault(kind, f"not true any more: {false}")

    def _values(self) -> None:
        """Raises Fault: it is not done, or a value is another one than where no runbook ran."""
        if false := not_true(self.session, list(self.filling.done)):
            raise Fault("broken", f"Verify said ok, and it is not done: {false}")
        if not self.filling.after:
            return
        try:
            mine = self.session.execute(self.filling.after.encode()).fetchall()
        except psycopg.Error as error:
            raise Fault("broken", f"Verify said ok, and {first_line(error)}") from None
        wanted = self.habitat.before(self.filling.before, self._failed, self.filling.set_up)
        if sorted(map(str, mine)) != sorted(map(str, wanted)):
            wrong = sorted(set(map(str, mine)) ^ set(map(str, wanted)))
            raise Fault("broken", f"{len(wrong)} values differ, such as {'; '.join(wrong[:2])}")

    def _same(self, kind: str, undo: str) -> None:
        """Raises Fault: the database is another one than after the same requests without a runbook."""
        left = self._differences()
        if undo and not (lost := _lost(left)):
            left = [line for line in left if not has_word(line, tuple(self.filling.leaves))]
        elif undo:
            left = lost
        if left:
            raise Fault(kind, f"differs: {_told(left)}")

    def _differences(self) -> list[str]:
        wanted = self.habitat.end(self._failed, self.filling.set_up)
        return wanted.differences(self.habitat.state(self.database))

    @property
    def _failed(self) -> frozenset[Key]:
        return frozenset(self.application.failures)


@contextmanager
def _ended(habitat: Habitat, database: str) -> Iterator[threading.Event]:
    """Ends every session in ``database``, and is set, when what is inside takes too long."""
    ended = threading.Event()

    def end() -> None:
        ended.set()
        with connect(habitat.server.dsn(), autocommit=True) as session:
            session.execute(_END, [database])

    timer = threading.Timer(PATIENCE, end)
    timer.start()
    try:
        yield ended
    finally:
        timer.cancel()
        timer.join()


def _lost(differences: list[str]) -> list[str]:
    """What says that a table has fewer or more rows. One with other columns is told in two lines."""
    found = [match for match in map(_ROWS.match, differences) if match]
    more: Counter[str] = Counter()
    for match in found:
        more[match[1]] += int(match[3]) - int(match[2])
    return [match.string for match in found if more[match[1]]]


def _told(lines: list[str]) -> str:
    more = f"; and {len(lines) - 3} more" if len(lines) > 3 else ""
    return "; ".join(lines[:3]) + more
