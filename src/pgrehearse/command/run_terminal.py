"""A run of a runbook on the operator's terminal: what is told, and asked."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from pgrehearse.command.streams import too_late
from pgrehearse.command.terminal import ProgressLine as Line
from pgrehearse.command.terminal import prose, styled, width
from pgrehearse.errors import SetupError
from pgrehearse.execution.backoff import LOCK_NOT_AVAILABLE, Pause
from pgrehearse.execution.runbook.preview import Part
from pgrehearse.execution.runbook.recorded import Unfinished
from pgrehearse.execution.runbook.run import RunRequest
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.runbook.watch import Blocker, Progress
from pgrehearse.findings import indented
from pgrehearse.text.document import LOOKING

__all__ = ["RunTerminal", "said"]

#: Statements that a query generated which are shown; of more, these many first and the last.
_SHOWN = 20
#: Seconds between two lines about progress, where a line cannot be written over.
_EVERY = 30.0
#: Lines of a check, or of what ends with the session, which are shown unless all is asked for.
_SHORT = 4
#: A check's answer of one row and one column: the name, the line, the value.
_ONE_VALUE = re.compile(r"^ [^|\n]+\n-+\n (?P<value>[^|\n]+)\n\(1 row\)$")
#: What a function that returns nothing prints.
_VOID = re.compile(r"^ *[^|\n]+\n-+\n *\n\(1 row\)\n*", re.M)
#: Nothing but the tags of commands.
_TAGS = re.compile(r"(?:[A-Z]+(?: [A-Z]+)*(?: \d+)*(?:\n|\Z))*")


class RunTerminal:
    """The operator's terminal: a `Reporter`.

    ``confirm``: ask before each step that is `Step.confirmed`; ``verbose``: show the SQL of the others too.
    """

    def __init__(self, request: RunRequest, *, confirm: bool, verbose: bool = False) -> None:
        self._request = request
        self._confirm, self._verbose = confirm, verbose
        self._line = Line(sys.stdout)
        self._phase, self._told = "", 0.0

    def starts(self, log: Path, earlier: Unfinished | None) -> None:
        self._say(prose(self._request.document.title, width()))
        self._prose(f"on {self._request.target}")
        self._say(f"  log {log}")
        if earlier and earlier.done:
            left_out = f"{len(earlier.done)} done steps are left out (--from-top repeats them)"
            self._prose(f"resuming {earlier.at}: {left_out}")

    def tells(self, line: str) -> None:
        self._prose(line)

    def step(self, step: Step) -> None:
        self._phase, self._told = "", 0.0
        place = f"{self._request.document.path.name}:{step.cell.line}"
        self._say(f"\n{styled(step.label, bold=True)}  ({place})")
        if not self._folds(step) and (step.cell.phase in LOOKING or not step.asks):
            self._say(indented(step.shown))

    def _folds(self, step: Step) -> bool:
        return not (self._verbose or step.confirmed) and step.shown.count("\n") >= _SHORT

    def sends(self, step: Step, parts: Sequence[Part]) -> None:
        if all(part.nothing for part in parts):
            self._say("    nothing to send: what this step does is there")
            return
        for part in parts:
            if part.unknown:
                self._say(f"    -- shown when it is due, it depends on what stands above: {part.unknown}")
            elif part.sent:
                self._say(indented("\n".join(_some(part.sent))))

    def asks(self, step: Step) -> bool:
        return self._answer("run this step?")

    def accepts(self, step: Step, unseen: str) -> bool:
        told = prose(f"  not seen: {unseen}", width())
        self._say(told.replace("not seen", styled("not seen", bold=True), 1))
        return self._answer("go on without having seen it?")

    def _answer(self, question: str) -> bool:
        if not self._confirm:
            return True
        try:
            return click.confirm(f"  {question}", default=False)
        except click.Abort as error:
            if isinstance(error.__context__, EOFError):
                self._say("")  # the question has no answer that ends its line
                raise SetupError(
                    "nobody answers: standard input is at its end",
                    next_step="run it in a terminal; --yes does not ask, where that is allowed",
                ) from None
            raise

    def pauses(self, step: Step, pause: Pause) -> None:
        why = (
            "no lock within lock_timeout"
            if pause.sqlstate == LOCK_NOT_AVAILABLE
            else f"SQLSTATE {pause.sqlstate}"
        )
        self._prose(f"{why}; attempt {pause.number} in {pause.seconds:g} s")

    def waits(self, step: Step, blockers: Sequence[Blocker]) -> None:
        for blocker in blockers:
            self._prose(f"waits for {blocker.said}")

    def progress(self, step: Step, progress: Progress) -> None:
        text, now = f"  {said(progress)}", time.monotonic()
        if self._line.live:
            self._line.say(text)
        elif progress.phase and (progress.phase != self._phase or now - self._told >= _EVERY):
            self._phase, self._told = progress.phase, now
            click.echo(text)

    def notice(self, step: Step, text: str) -> None:
        self._say(indented(text))

    def output(self, step: Step, text: str) -> None:
        text = _VOID.sub("", text).strip("\n")
        if self._folds(step):
            text = "" if _TAGS.fullmatch(text) else _ONE_VALUE.sub(r"\g<value>", text)
        if text:
            self._say(indented(text))

    def skipped(self, step: Step, reason: str) -> None:
        self._say(f"    skipped: {reason}")

    def done_earlier(self, step: Step) -> None:
        self._say(f"{step.label}  done in the earlier run")

    def stopped(self, step: Step) -> None:
        self._say("stopped before this step; run again to go on from here")

    def finished(self, log: Path) -> None:
        too_late()
        self._say(f"\ndone: {', '.join(self._request.phases)}; log {log}")

    def _say(self, text: str) -> None:
        self._line.clear()
        click.echo(text)

    def _prose(self, text: str) -> None:
        self._say(prose(f"  {text}", width()))


def said(progress: Progress) -> str:
    """How far it is, in one line; what counts most stands first, because a narrow terminal cuts the end."""
    parts = []
    if progress.total:
        share = min(100 * progress.done // progress.total, 100)
        parts.append(
            f"{share} % ({progress.done:,} of {progress.total:,} {progress.unit})".replace(" )", ")")
        )
    elif progress.done:
        parts.append(f"{progress.done:,} {progress.unit}")
    if progress.left is not None:
        parts.append(f"{_time(progress.left)} left")
    if progress.rate:
        parts.append(f"{progress.rate:,.0f}/s")
    return ": ".join(part for part in (", ".join(parts), progress.phase) if part)


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _some(statements: Sequence[str]) -> list[str]:
    ended = [f"{sql};" for sql in statements]
    if len(ended) <= _SHOWN + 2:
        return ended
    left = len(ended) - _SHOWN - 1
    return [*ended[:_SHOWN], f"-- ... {left:,} more like these, and the last", ended[-1]]
