"""A section as one transaction: its statements sent ahead of their answers, and their record at its end."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import psycopg
from psycopg.pq.abc import PGresult

from pgrehearse.errors import PgRehearseError
from pgrehearse.execution.polling import refusal
from pgrehearse.interrupts import Interrupts
from pgrehearse.migration.runner import exclusive
from pgrehearse.migration.runner.attempt import Attempt
from pgrehearse.migration.runner.batches import Batches, Sent
from pgrehearse.migration.runner.carry_out import changed_rows
from pgrehearse.migration.runner.ledger_rows import Cost, RecordedStatements
from pgrehearse.migration.runner.pipeline import Pipeline
from pgrehearse.migration.runner.question import Answer, Question, Questions, answer, names_table
from pgrehearse.migration.runner.spool import Spool
from pgrehearse.migration.runner.table_files import Files
from pgrehearse.migration.runner.watched_statements import PAUSE
from pgrehearse.text.migration_files import Statements

__all__ = ["Whole"]

#: Statements that close what we prepared, and the SQLSTATE by which it shows when a function did.
_CLOSE = ("deallocate", "discard")
_UNKNOWN_QUESTION = "26000"
#: Statements that give a table another file without copying a row.
_COPY_NOTHING = ("rollback", "truncate")


class _Closed(Exception):
    """A question is no longer known: a function has deallocated all that was prepared."""


@dataclass
class Whole(Attempt):
    """Its statements are recorded at the end: until then their costs are lines of a spool."""

    todo: Statements
    #: for each try, the number of its last statement; and by number the seconds waited in all of them
    reached: list[int] = field(default_factory=list, init=False)
    waited: dict[int, float] = field(default_factory=dict, init=False)
    spool: Spool = field(default_factory=Spool, init=False)
    failed_cost: Cost | None = field(default=None, init=False)
    #: whether statements are sent ahead of answers
    ahead: bool = field(default=True, init=False)
    _under_way: deque[Sequence[Sent]] = field(default_factory=deque, init=False)
    _batch: Sequence[Sent] = field(default=(), init=False)
    #: what was said before the statement that is kept next
    _before: Answer | None = field(default=None, init=False)
    #: when the last answer came, and milliseconds of statements since
    _received: float = field(default=0.0, init=False)
    _spent: float = field(default=0.0, init=False)

    def run(self) -> None:
        """The whole section and its record in one transaction, tried again when it gets no lock."""
        name = self.migration.path.stem
        try:
            self.transactions.whole(name, self._work, self._record, self.ended)
        except _Closed:
            self.ahead = False
            self.transactions.whole(name, self._work, self._record, self.ended)

    def close(self) -> None:
        self.spool.close()

    def unfinished(self) -> RecordedStatements:
        costs = [self.failed_cost] if self.failed_cost is not None else []
        return RecordedStatements(costs, lambda attempt: self.spool.lines(attempt, "rolled back"))

    def left(self, error: psycopg.Error) -> str:
        mend = "write transaction:false for its COMMIT" if error.sqlstate == "2D000" else "mend the cause"
        return f"nothing of it is applied; {mend} and run it again"

    def _record(self) -> None:
        self.end(RecordedStatements(lines=lambda attempt: self.spool.lines(attempt, "done")))

    def _work(self) -> None:
        self.spool.clear()
        self.rewritten.clear()
        self.wal_bytes = 0
        self.failing = self.failed_cost = None
        self.reached.append(0)
        self._under_way.clear()
        link = self.link
        self._files = Files(self.connection)
        self._questions = Questions(
            self.connection,
            f"pgrehearse_{self.attempt}_{len(self.reached)}",
            tables=any(map(names_table, self.todo.kinds)),
        )
        self._questions.prepare()
        self._interrupts = Interrupts()
        self._pipeline = Pipeline(self.connection.pgconn, PAUSE, link.watch.look, self._interrupts)
        self._before = None  # a batch begins with this question
        batches = Batches(self.todo, self._questions, ahead=self.ahead)
        link.notices.place = self._place
        try:
            for batch in batches:
                if not batch.ahead:
                    self._drain()
                    self._by_itself(batch.statements[0], batches)
                    continue
                if self._pipeline.full:
                    self._receive()
                self._send(batch.statements)
            self._drain()
        except BaseException as error:
            with self._interrupts, suppress(psycopg.Error, _Closed, PgRehearseError):
                self._pipeline.cancel()
                if not isinstance(error, Exception):  # an interrupt: what was answered before it counts
                    self._take_left()
            raise
        finally:
            link.notices.place = None

    def _send(self, statements: Sequence[Sent]) -> None:
        with self._interrupts:
            self._under_way.append(statements)
            try:
                self._pipeline.send(
                    self._questions.nothing, [(sent.sql.encode(), sent.question) for sent in statements]
                )
            except psycopg.OperationalError:
                self._drain()  # what was under way before may say why
                raise

    def _drain(self) -> None:
        while self._under_way:
            self._receive()

    def _receive(self) -> None:
        """Take the answers to the oldest batch. Raises psycopg.Error: a statement of it failed."""
        with self._interrupts:
            self._batch, self._spent = self._under_way[0], 0.0
            lost: BaseException | None = None
            try:
                self._pipeline.receive()
            except BaseException as error:
                lost = error
            self._under_way.popleft()
            try:
                self._take()
                self._take_left()
            except (psycopg.Error, _Closed) as error:
                self._pipeline.drop()
                said = isinstance(error, psycopg.Error) and error.sqlstate and isinstance(lost, psycopg.Error)
                raise error if lost is None or said else lost from None
            if lost is not None:
                raise lost
        self._received = time.monotonic()
        self.link.watch.begin()

    def _take_left(self) -> None:
        """Keep what batches cost whose answers came before an interrupt ended them."""
        for results in self._pipeline.left:
            self._batch, self._spent = self._under_way.popleft(), 0.0
            self._pipeline.results = results
            self._take()

    def _take(self) -> None:
        """Keep what the batch cost. Raises psycopg.Error: not all of it was carried out."""
        results = iter(self._pipeline.results)
        if (first := next(results, None)) is not None and not refusal(first):
            self._before = answer(first)
        for sent in self._batch:
            result, said = next(results, None), next(results, None)
            if result is None or said is None or refusal(result):
                self._fail(sent)
                raise _error(result)
            if refused := refusal(said):
                self._fail(sent)
                raise _Closed if refused.sqlstate == _UNKNOWN_QUESTION else _error(said)
            self._keep(sent, changed_rows(result), answer(said))

    def _by_itself(self, sent: Sent, batches: Batches) -> None:
        """Wait for the answer to a statement, and make the next batch meanwhile."""
        self._batch, self._spent = [sent], 0.0
        self._pipeline.results = []
        self._before = self._before or self._ask(self._questions.nothing)
        self._received = time.monotonic()
        try:
            result = self.link.watch.run(sent.sql, batches.prepare)
            milliseconds = (time.monotonic() - self._received) * 1000
            if sent.kind.verb in _CLOSE or not self.ahead:
                self._questions.prepare()
            said = self._ask(sent.question)
        except BaseException:
            self._fail(sent)
            raise
        self._keep(sent, changed_rows(result), said, milliseconds)
        if sent.kind.verb == "rollback":  # to a savepoint: tables have the files again that they had
            self._files.read()
        self._received = time.monotonic()

    def _ask(self, question: Question) -> Answer:
        """Ask while nothing else is under way."""
        with self._interrupts:
            self._pipeline.send(question)
            result = next(iter(self._pipeline.receive()), None)
        refused = refusal(result) if result is not None else None
        if result is None or refused is not None:
            raise _Closed if refused and refused.sqlstate == _UNKNOWN_QUESTION else _error(result)
        return answer(result)

    def _keep(self, sent: Sent, rows: int | None, said: Answer, milliseconds: float | None = None) -> None:
        """Write down what ``sent`` cost. Raises ExpectationError: what follows would be read differently."""
        before, self._before = self._before, said
        assert before is not None
        if milliseconds is None:
            milliseconds = max(0.0, (said.at - before.at) * 1000)
            self._spent += milliseconds
        moved = self._files.learn(said.files) if said.files else ()
        if sent.kind.verb in _COPY_NOTHING:
            moved = ()
        self.rewritten.update(moved)
        self.wal_bytes += said.wal - before.wal
        cost = self._cost(sent, milliseconds, said.at, said.wal - before.wal, rows, moved)
        if found := exclusive.unlike(said.settings):
            self.failed_cost = replace(cost, outcome="failed")
            raise self.unreadable(sent.line, found)
        self.spool.add(cost)

    def _fail(self, sent: Sent) -> None:
        """``sent`` was under way when something went wrong."""
        milliseconds = max(0.0, (time.monotonic() - self._received) * 1000 - self._spent)
        self.failing = self.todo[sent.number - 1]
        self.failed_cost = replace(self._cost(sent, milliseconds), outcome="failed")

    def _cost(
        self,
        sent: Sent,
        milliseconds: float,
        until: float | None = None,
        wal_bytes: int | None = None,
        rows: int | None = None,
        rewritten: tuple[str, ...] = (),
    ) -> Cost:
        """The cost of ``sent``, with the waits that were seen ``until`` then by the server's clock."""
        number, waits = sent.number, self.link.watch.waits
        self.reached[-1] = number
        while waits and (until is None or waits[0][0] <= until):
            self.waited[number] = self.waited.get(number, 0.0) + waits.pop(0)[1]
        return Cost(
            number,
            self.section.line + sent.line - 1,
            sent.shown,
            "done",
            milliseconds,
            self.waited.get(number, 0.0) * 1000,
            wal_bytes,
            rows,
            rewritten,
            1 if len(self.reached) == 1 else sum(reached >= number for reached in self.reached),
        )

    def _place(self) -> str:
        """Of the statement that the next answer is for: the first answer of a batch is one to a question.

        Answers to several batches may come before the first of them is received.
        """
        ended, answers = self._pipeline.heard
        batch = self._under_way[min(ended, len(self._under_way) - 1)] if self._under_way else self._batch
        at = max(0, answers - 1) // 2
        return self.place(batch[min(at, len(batch) - 1)].line) if batch else ""


def _error(result: PGresult | None) -> psycopg.Error:
    if result is None or not refusal(result):
        return psycopg.OperationalError("the connection was lost")
    return psycopg.errors.error_from_result(result)
