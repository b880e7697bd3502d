"""Along with the statements of a run, for terminal and log: who blocks them, how far they are, notices."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from pgrehearse import queries
from pgrehearse.connections import connect
from pgrehearse.errors import SetupError
from pgrehearse.execution.escort import Message
from pgrehearse.execution.onlooker import Onlooker
from pgrehearse.execution.runbook.heard import Heard
from pgrehearse.execution.runbook.reporter import Reporter
from pgrehearse.execution.runbook.run_log import RunLog
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.session import Session, StatementError
from pgrehearse.text.document import LOOKING
from pgrehearse.text.passwords import redacted

__all__ = ["Blocker", "Progress", "Watch"]

_APPLICATION = "pgrehearse watch"
#: Seconds into a statement until the first look, and between later ones; until a wait, and progress, is told.
_FIRST, _LATER, _TOLD = 0.02, 0.5, 1.0
#: Seconds between looks at two statements: soon enough for a short lock_timeout, and thousands of short
#: statements are no reason to look thousands of times.
_APART = 0.05
#: Seconds without a look after one went wrong.
_BLIND = 5.0
#: Characters of another session's query that are shown.
_QUERY = 200
#: The last line of what a statement printed, when that counts rows; what a NOTICE counts.
_TAG = re.compile(r"(?:[A-Z][A-Z ]*? (?:0 )?|\()(\d+)(?: rows?\))?")
_COUNTED = re.compile(r"\b(\d+) of (\d+)\b(?: ([a-z]+))?")


@dataclass(frozen=True)
class Blocker:
    """A session that keeps another one waiting. ``pid``: 0 for a prepared transaction.

    Attributes:
        seen: whether this role may see what it does, and since when.
        age: seconds its transaction is open, None where that is not known.
        query: the last one, without passwords.
    """

    pid: int
    user: str
    application: str
    seen: bool
    state: str = ""
    age: float | None = None
    query: str = ""

    @property
    def said(self) -> str:
        """For people, in one line."""
        if self.pid == 0:
            return "a prepared transaction, see pg_prepared_xacts"
        who = f"pid {self.pid}, {self.user or 'no role'}" + (
            f", {self.application}" if self.application else ""
        )
        if not self.seen:
            return f"{who}: this role may not see since when, or what it does"
        since = f", its transaction {self.age:.0f} s old" if self.age is not None else ""
        return f"{who}: {self.state}{since}: {self.query}"


@dataclass(frozen=True)
class Progress:
    """How far a statement is.

    Attributes:
        phase: in PostgreSQL's words, empty where it counts by itself.
        unit: what ``done`` and ``total`` count; ``total`` is None where the end is not known.
        rate: of these a second, None before there is one.
    """

    phase: str
    unit: str
    done: int
    total: int | None
    rate: float | None = None

    @property
    def left(self) -> float | None:
        """Seconds until this phase ends, if it goes on so."""
        if self.total is None or not self.rate:
            return None
        return max(self.total - self.done, 0) / self.rate


class Watch(Onlooker):
    """Looks at the session of ``step`` from a connection of its own, made before the first change.

    Opened when a statement already waits, it would come after a short lock_timeout.

    Args:
        secrets: values that no log may hold.
    """

    def __init__(self, conninfo: str, reporter: Reporter, log: RunLog, secrets: Sequence[str] = ()) -> None:
        self._conninfo = conninfo
        self._reporter = reporter
        self._log = log
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        self._step: Step | None = None
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._blind_until = 0.0
        self._looked = self._next = 0.0
        self._last: Step | None = None
        self._heard = Heard()
        #: who was seen to block the statement under way; empty again when it goes on
        self.blockers: tuple[Blocker, ...] = ()
        self._told: tuple[int, ...] = ()
        self._began: tuple[str, float, int] = ("", 0.0, 0)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def over(self, step: Step) -> Iterator[None]:
        """What sessions do in the block is what ``step`` says; other things are not told."""
        self._step = self._last = step
        self._heard = Heard()
        if step.cell.phase not in LOOKING:
            self._open()
        try:
            yield
        finally:
            self._step = None

    # --- what a session tells ------------------------------------------------------------------------

    @property
    def every(self) -> float:  # type: ignore[override]
        return max(_FIRST, min(self._next - time.monotonic(), _LATER))

    def sends(self, session: Session, message: Message) -> None:
        if self._step is None:
            return  # a rollback of ours does not make forgotten who was in the way
        self.blockers, self._told = (), ()
        self._next = max(time.monotonic() + _FIRST, self._looked + _APART)
        self._began = ("", 0.0, 0)

    def noticed(self, text: str) -> bool:
        if self._step is None:
            return False
        self._heard.add(text)
        self._reporter.notice(self._step, text)
        if counted := _COUNTED.search(text):
            self._tell(Progress("", counted[3] or "", int(counted[1]), int(counted[2])))
        return True

    def looks(self, session: Session) -> None:
        now = time.monotonic()
        under_way = now - session.sent_at
        if self._step is None or now < self._next:
            return
        self._looked, self._next = now, now + _LATER
        self.blockers = tuple(map(_blocker, self._asked("run_blockers", session.pid)))
        if under_way < _TOLD:
            return
        pids = tuple(one.pid for one in self.blockers)
        if pids:
            self.tell_blockers(under_way)
        else:
            for row in self._asked("run_progress", session.pid):
                self._tell(Progress(row["phase"] or "", row["unit"], row["done"] or 0, row["total"] or None))

    def not_told(self, output: str) -> str:
        """What a step printed, without the notices that were told as they came."""
        return self._heard.not_in(output)

    def tell_blockers(self, seconds: float | None = None) -> None:
        """Tell who blocks the statement of the step, or did when it gave up, unless that was told already."""
        pids = tuple(one.pid for one in self.blockers)
        if not pids or pids == self._told or self._last is None:
            return
        self._told = pids
        self._reporter.waits(self._last, self.blockers)
        self._write(
            "waits",
            line=self._last.cell.line,
            seconds=round(seconds, 3) if seconds is not None else None,
            blockers=[
                {"pid": one.pid, "user": one.user, "application": one.application, "age": one.age}
                for one in self.blockers
            ],
        )

    def ended(
        self, session: Session, message: Message, printed: Sequence[str], error: StatementError | None
    ) -> None:
        if self._step is None:
            return
        self._write(
            "statement",
            line=self._step.cell.line,
            number=message.number,
            generated=message.generated or None,
            pid=session.pid,
            sql=self._hidden(redacted(message.sql)),
            seconds=round(time.monotonic() - session.began_at, 3),
            rows=_rows(printed) if error is None and not message.gexec else None,
            sqlstate=error.sqlstate if error else None,
            error=self._hidden(error.text.split("\n")[0]) if error else None,
        )

    # --- questions -----------------------------------------------------------------------------------

    def _asked(self, name: str, pid: int) -> list[dict[str, Any]]:
        """The rows of a question; none for a while after one went wrong: a run does not stop for this."""
        if (connection := self._open()) is None:
            return []
        try:
            return connection.execute(queries.text(name, pid=pid)).fetchall()
        except psycopg.Error:
            self._lost()
            return []

    def _open(self) -> psycopg.Connection[dict[str, Any]] | None:
        """The connection, made where there is none; None for a while after one was lost or refused."""
        if self._connection is None and time.monotonic() >= self._blind_until:
            try:
                self._connection = connect(
                    self._conninfo,
                    autocommit=True,
                    application_name=_APPLICATION,
                    options="-c statement_timeout=2000 -c search_path=pg_catalog",
                    row_factory=dict_row,
                )
            except psycopg.Error:
                self._lost()
        return self._connection

    def _lost(self) -> None:
        self.close()
        self._blind_until = time.monotonic() + _BLIND

    def _tell(self, progress: Progress) -> None:
        """Tell it with its rate, which is that since its phase began."""
        assert self._step is not None
        now, key = time.monotonic(), f"{progress.phase} {progress.unit} {progress.total}"
        if key != self._began[0] or progress.done < self._began[2]:
            self._began = (key, now, progress.done)
        seconds, done = now - self._began[1], progress.done - self._began[2]
        rate = done / seconds if seconds > 0.2 and done else None
        self._reporter.progress(
            self._step, Progress(progress.phase, progress.unit, progress.done, progress.total, rate)
        )

    def _write(self, event: str, **facts: Any) -> None:
        with suppress(SetupError):  # the end of the step cannot be written either, and says so
            self._log.write(event, sync=False, **facts)

    def _hidden(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _blocker(row: dict[str, Any]) -> Blocker:
    query = redacted(" ".join((row["query"] or "").split()))
    cut = query if len(query) <= _QUERY else query[:_QUERY] + "..."
    return Blocker(
        row["pid"],
        row["usename"] or "",
        row["application_name"] or "",
        row["pid"] == 0 or bool(row["seen"]),
        row["state"] or "",
        row["age"],
        cut,
    )


def _rows(printed: Sequence[str]) -> int | None:
    """How many rows a statement read or changed, as what it printed says."""
    last = printed[-1].rsplit("\n", 1)[-1] if printed else ""
    found = _TAG.fullmatch(last.strip())
    return int(found[1]) if found else None
