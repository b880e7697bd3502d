"""Goes along with the statements of Apply and Roll back: what is done is recorded, and not done twice.

A statement that PostgreSQL allows a transaction gets one, and its record stands in that. The statements of a
transaction that the runbook opens are recorded before its COMMIT. What wants none is recorded as begun first.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from psycopg.pq import TransactionStatus

from pgrehearse.execution.escort import Applying, Frame, Message
from pgrehearse.execution.runbook.framing import (
    commits,
    ends_with_session,
    kind_of,
    leaves_session,
    made_again,
    wants_a_block,
)
from pgrehearse.execution.runbook.preview import Part
from pgrehearse.execution.runbook.recorded import Key, RunRow, Unfinished
from pgrehearse.execution.runbook.remains import clears, no_remains
from pgrehearse.execution.runbook.run_ledger import RunLedger
from pgrehearse.execution.runbook.session_state import SessionState
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.text.passwords import redacted
from pgrehearse.text.statement import Control, Kind

__all__ = ["Recorder", "digest_of"]


def digest_of(text: str) -> str:
    """What tells one text from another."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass
class Recorder(Applying):
    """Records in ``ledger``; without one it only knows what this run has done.

    Args:
        earlier: the run that this one goes on from.
        state: how the session is asked for its state.
    """

    ledger: RunLedger | None
    earlier: Unfinished | None
    state: SessionState
    #: says what to send of the statements that a query generates
    agrees: Callable[[Message, Sequence[str]], Sequence[str] | None] = lambda message, statements: statements
    #: lines of steps whose effect is gone
    _forgotten: set[int] = field(default_factory=set)
    _step: Step | None = None
    _again: bool = False
    _check: bool = False
    _row: RunRow = field(default_factory=lambda: RunRow((0, 0, 0), "", "", ""))
    _was: TransactionStatus = TransactionStatus.IDLE
    #: what is committed; what was begun, and nobody knows its end
    _done: dict[Key, RunRow] = field(default_factory=dict)
    _begun: dict[Key, RunRow] = field(default_factory=dict)
    #: what was begun and turned out to be done, which is not recorded yet
    _settled: dict[Key, RunRow] = field(default_factory=dict)
    #: what the statements of this run printed that are committed; those of the open transaction
    _printed: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    _open: list[tuple[RunRow, tuple[str, ...]]] = field(default_factory=list)
    #: generated statements of the step that are not to be sent again, by statement and digest
    _left_out: Counter[tuple[int, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for row in self.earlier.rows if self.earlier else ():
            (self._done if row.outcome == "done" else self._begun)[row.key] = row
        self._check = bool(self._done or self._begun)

    # --- steps ---------------------------------------------------------------------------------------

    def is_done(self, step: Step) -> bool:
        """Whether the earlier run did all of ``step``."""
        line = step.cell.line
        return self.earlier is not None and line in self.earlier.done and line not in self._forgotten

    def forget(self, step: Step) -> None:
        """``step`` was done by the earlier run, and undone since: it is carried out as if it never was."""
        self._forgotten.add(step.cell.line)
        for known in (self._done, self._begun, self._settled):
            for key in [key for key in known if key[0] == step.cell.line]:
                del known[key]

    @property
    def step(self) -> Step | None:
        """The step that is under way."""
        return self._step

    def marked(self, step: Step, number: int, part: Part) -> Part:
        """``part``, the statement ``number`` of ``step``, with what of it an earlier run has done."""
        if part.generated is None:
            known = self._done.get((step.cell.line, number, 0))
            same = known is not None and known.digest == _digest(part.sql) and not known.of_the_session
            return replace(part, done=frozenset({0} if same else ()))
        begun, done = self._unsettled(step), []
        left = Counter(row.digest for key, row in self._done.items() if key[:2] == (step.cell.line, number))
        for place, sql in enumerate(part.generated):
            if left[_digest(sql)] and not (begun and clears(sql, begun, generated=True)):
                left[_digest(sql)] -= 1
                done.append(place)
        return replace(part, done=frozenset(done))

    def generates(self, message: Message, statements: Sequence[str]) -> Sequence[str] | None:
        return self.agrees(message, statements)

    def begun(self, step: Step) -> list[RunRow]:
        """What the earlier run began of ``step``, and nobody knows the end of."""
        return [row for key, row in self._begun.items() if key[0] == step.cell.line and key not in self._done]

    def settled(self, row: RunRow) -> None:
        """What was begun turned out to be done."""
        self._done[row.key] = self._settled[row.key] = replace(row, outcome="done")

    def begin(self, step: Step, *, again: bool = False) -> None:
        """``step`` is next. ``again``: of what was done, only what ended with its session."""
        self._step, self._again = step, again
        own = [row for key, row in self._done.items() if key[0] == step.cell.line and key[2]]
        self._left_out = Counter((row.key[1], row.digest) for row in own)

    def partly(self, step: Step) -> bool:
        """Whether statements of ``step`` were done in an earlier run: what they printed is not known."""
        return any(key[0] == step.cell.line and key not in self._printed for key in self._done)

    def keeps_session(self, step: Step) -> bool:
        """Whether something of the done ``step`` ended with the session of the earlier run."""
        rows = self.earlier.rows if self.earlier else ()
        return any(row.of_the_session for row in rows if row.key[0] == step.cell.line)

    def check(self) -> str:
        """The statement that makes sure, once, that the session is as it was in the earlier run, if any.

        Not in a step that somebody undid while a later one has something of the session to make again.
        """
        at = self._step.cell.line if self._step else 0
        rows = self.earlier.rows if self.earlier else ()
        if not self._check or any(row.of_the_session and row.key[0] > at for row in rows):
            return ""
        self._check = False
        return self.state.again(self.earlier.state) if self.earlier else ""

    def completed(self, in_transaction: bool) -> tuple[str, ...]:
        """``step`` did what the runbook says: what records that, now or before the COMMIT that is to come."""
        assert self._step is not None
        whole = self._row_of((self._step.cell.line, 0, 0), self._step.text)
        check = no_remains(self._unsettled(self._step))
        line = self._step.cell.line
        settled = [row for key, row in self._settled.items() if key[0] == line]
        if in_transaction:
            self._open += [(row, ()) for row in (*settled, whole)]
            return (check,)
        if self.ledger is None:
            return ()
        own = {key: row for key, row in self._done.items() if key[0] == line}
        rows = [row for key, row in own.items() if key in self._printed or key in self._settled]
        return (check, *self._recorded([*rows, whole]))

    def _unsettled(self, step: Step) -> list[str | None]:
        """The statements of ``step`` that an earlier run began and this one did not send again."""
        texts = {_digest(sql): sql for sql in step.statements}
        return [texts.get(row.digest) for row in self.begun(step) if row.key[1]]

    def failed(self) -> None:
        """The step was done, and is not what the runbook says: another run does it again."""
        assert self._step is not None
        self._write(self._row_of((self._step.cell.line, 0, 0), self._step.text, "failed"))

    def begins(self) -> None:
        """The step begins, and has no transaction: a Python cell."""
        assert self._step is not None
        self._write(self._row_of((self._step.cell.line, 0, 0), self._step.text, "begun"))

    def undone(self) -> None:
        """The transaction that was open is rolled back."""
        self._open.clear()

    # --- statements ----------------------------------------------------------------------------------

    def frame(self, message: Message, transaction: TransactionStatus) -> Frame:
        kind = kind_of(message.sql)
        self._was, self._row = transaction, self._row_of(self._key(message), message.sql)
        if transaction == TransactionStatus.IDLE:
            if self._is_done(message):
                here = self._row.key in self._printed
                if here or not ends_with_session(kind):
                    return Frame(printed=self._printed.get(self._row.key, ()))
                return made_again(kind)
            if self._again:
                wanted = message.gexec and self._generated_session(message)
                return made_again(kind) if wanted else Frame(printed=())
        if self.ledger is None:
            return super().frame(message, transaction)
        check = self.check()
        frame = self._framed(self._row, kind, message, transaction)
        return replace(frame, before=(check, *frame.before)) if check else frame

    def _framed(self, row: RunRow, kind: Kind, message: Message, transaction: TransactionStatus) -> Frame:
        if transaction == TransactionStatus.INTRANS:
            if kind.control is Control.CLOSES and not kind.begins("prepare"):
                return Frame(before=(self._note([*(one for one, _ in self._open), row]),))
            return Frame()
        if transaction != TransactionStatus.IDLE or message.gexec or wants_a_block(kind):
            return super().frame(message, transaction)
        if kind.alone or commits(kind, message.sql):
            return self._alone(row, message.sql)
        # One message: what the statement has locked is not kept for another round trip.
        after = f"{self._note([row], kind)};\nCOMMIT"
        return Frame(("BEGIN",), (after,), ("ROLLBACK",), lambda: self._alone(row, message.sql))

    def _alone(self, row: RunRow, sql: str) -> Frame:
        """The frame of what PostgreSQL allows no transaction: recorded as begun before, as done after."""
        check = ""
        if no_remains([sql]):
            begun = [
                one for key, one in self._begun.items() if key[:2] == row.key[:2] and key not in self._done
            ]
            check = no_remains(sql if one.digest == row.digest else None for one in begun)
        self._write(RunRow(row.key, row.phase, row.digest, "begun"))
        return Frame((check,) if check else (), self._recorded([row], kind_of(sql)))

    def ended(self, message: Message, printed: Sequence[str], transaction: TransactionStatus) -> None:
        if self._again:
            return
        control, mine = kind_of(message.sql).control, (self._row, tuple(printed))
        ends = control in (Control.CLOSES, Control.GIVES_UP)
        if ends and (control is Control.GIVES_UP or self._was == TransactionStatus.INERROR):
            self._open.clear()
        elif ends:
            self._commit([*self._open, mine])
            self._open.clear()
        elif transaction != TransactionStatus.IDLE:
            self._open.append(mine)
        elif control is None and not message.gexec:
            self._commit([mine])

    def _commit(self, rows: Sequence[tuple[RunRow, tuple[str, ...]]]) -> None:
        for row, printed in rows:
            self._done[row.key], self._printed[row.key] = row, printed

    def _is_done(self, message: Message) -> bool:
        """Whether ``message`` is committed, and so not sent. A generated one is known by its text.

        What clears remains is sent again: they came after it.
        """
        assert self._step is not None
        begun = self._unsettled(self._step)
        if begun and clears(message.sql, begun, generated=bool(message.generated)):
            return False
        if not message.generated:
            known = self._done.get(self._row.key)
            return known is not None and known.digest == self._row.digest
        same = (message.number, self._row.digest)
        if not self._left_out[same]:
            return False
        self._left_out[same] -= 1
        return True

    def _generated_session(self, message: Message) -> bool:
        assert self._step is not None
        return any(
            row.of_the_session
            for key, row in self._done.items()
            if key[:2] == (self._step.cell.line, message.number) and key[2]
        )

    # --- records -------------------------------------------------------------------------------------

    def _key(self, message: Message) -> Key:
        assert self._step is not None
        line, number, place = self._step.cell.line, message.number, message.generated
        while place and self._taken((line, number, place), message):
            place += 1
        return line, number, place

    def _taken(self, key: Key, message: Message) -> bool:
        """Whether another generated statement has the place ``key``."""
        known = self._done.get(key)
        return known is not None and known.digest != _digest(message.sql)

    def _row_of(self, key: Key, text: str, outcome: str = "done") -> RunRow:
        assert self._step is not None
        session = key[1] > 0 and ends_with_session(kind_of(text))
        return RunRow(key, self._step.cell.phase or "", _digest(text), outcome, session)

    def _note(self, rows: Sequence[RunRow], kind: Kind | None = None) -> str:
        """The statements that record ``rows``. ``kind``: of the only one, which was just sent."""
        assert self.ledger is not None
        quiet = kind is not None and leaves_session(kind)
        return f"{self.state.query(quiet=quiet)};\n{self.ledger.note(rows)}"

    def _recorded(self, rows: Sequence[RunRow], kind: Kind | None = None) -> tuple[str, ...]:
        """The messages that record ``rows`` in a transaction of their own."""
        return ("BEGIN READ WRITE", f"{self._note(rows, kind)};\nCOMMIT")

    def _write(self, row: RunRow) -> None:
        if self.ledger is not None:
            self.ledger.begun(row)


def _digest(sql: str) -> str:
    """The digest of a statement without its passwords: nobody can try them on it."""
    return digest_of(redacted(sql))
