"""The rehearsal *interrupted*: killed after each step and in each statement that can be made to wait.

After every kill the runbook is started again from the top, in new sessions. It must be green, and leave the
same database as a run that nobody disturbed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pgrehearse.clock import now
from pgrehearse.connections import connect
from pgrehearse.execution.executor import Executor
from pgrehearse.measurement.rehearsals.obstacles import OBSTACLES, Obstacle, Wait, obstructed, waits
from pgrehearse.measurement.rehearsals.plain import told
from pgrehearse.measurement.rehearsals.rehearsal import Rehearsal, Surprise
from pgrehearse.measurement.rehearsals.stage import Stage
from pgrehearse.measurement.rehearsals.stops import StepStatement, steps, walk
from pgrehearse.schema.contents import Contents
from pgrehearse.text.document import Cell

__all__ = ["interrupted"]


@dataclass(frozen=True)
class _During:
    """A place to kill: statement ``step`` waits for ``obstacle`` there."""

    step: StepStatement
    obstacle: Obstacle
    wait: Wait

    def __str__(self) -> str:
        return f"{self.step.title}: {self.wait}"


@dataclass(frozen=True)
class _After:
    """A place to kill: ``step`` has completed, what it did is committed."""

    step: StepStatement

    def __str__(self) -> str:
        return f"after {self.step.title}"


def interrupted(stage: Stage) -> Rehearsal:
    """Find out where statements can be made to wait, then kill the run at every such place and start again.

    Statements that waited for no obstacle are named in the facts: killed after them, never in them.
    """
    apply = [c for c in stage.forward if c.phase == "Apply" and c.options.runs_on(stage.server.major)]
    if reason := _cannot(apply):
        return Rehearsal("interrupted", "not run", reason)
    started = now()
    with stage.copy() as database:
        stage.play(database, stage.forward, "straight")
        straight = stage.state(database)
    after, never = _committed(stage, apply)
    during = [place for obstacle in OBSTACLES for place in _waits(stage, apply, obstacle)]
    during = list({(p.step.number, p.wait): p for p in reversed(during)}.values())[::-1]
    during.sort(key=lambda place: place.step.number)
    places: list[_After | _During] = [*after, *during]
    for place in places:
        _kill(stage, apply, place, straight, started)
    waited = {place.step.number for place in during}
    facts = {
        "killed after": len(after),
        "killed during": [str(place) for place in during],
        "waited for nothing": [step.title for step in never if step.number not in waited],
    }
    return Rehearsal("interrupted", "passed", facts=facts)


def _cannot(cells: list[Cell]) -> str:
    for cell in cells:
        if cell.language != "sql":
            return f"line {cell.line}: a {cell.language} cell in Apply cannot be stopped half-way"
        if cell.options.wait is not None:
            return f"line {cell.line}: a cell of Apply that waits for another session"
    return ""


@contextmanager
def _begun(stage: Stage, database: str) -> Iterator[Executor]:
    """Sessions in which Preflight, and whatever else stands before Apply, has run."""
    before = []
    for cell in stage.forward:
        if cell.phase == "Apply":
            break
        before.append(cell)
    with stage.executor(database) as executor:
        stage.watch(executor, before, "before Apply")
        yield executor


def _committed(stage: Stage, apply: list[Cell]) -> tuple[list[_After], list[StepStatement]]:
    """Where to kill after a statement; and all statements worth killing in."""
    after: list[_After] = []
    every: list[StepStatement] = []
    with stage.copy() as database, _begun(stage, database) as executor:
        for step, session in steps(executor, apply):
            walk(session, step)
            if step.last or not (step.instant or session.in_transaction):
                after.append(_After(step))
            if not step.instant:
                every.append(step)
    return after, every


def _waits(stage: Stage, apply: list[Cell], obstacle: Obstacle) -> Iterator[_During]:
    """Go through Apply with ``obstacle`` in front of each statement; yields where one waits for it."""
    with (
        stage.copy() as database,
        _begun(stage, database) as executor,
        connect(stage.server.dsn(database), autocommit=True) as monitor,
        connect(stage.server.dsn(database)) as other,
    ):
        for step, session in steps(executor, apply):
            if step.instant:
                walk(session, step)
                continue
            seen: list[Wait] = []

            def look(pid: int = session.pid, seen: list[Wait] = seen) -> bool:
                found = waits(monitor, pid, other)
                seen.extend([found] if found else [])
                return bool(found)

            with obstructed(other, obstacle) as held:
                left = walk(session, step, look if held else None)
            if left:  # the obstacle is gone: it completes
                while not session.pump(1.0):
                    pass
                if session.error is not None:
                    raise Surprise(
                        f"{step.title}, which had waited for {obstacle.name}: {session.error.text}"
                    )
                yield _During(step, obstacle, seen[0])


def _kill(
    stage: Stage, apply: list[Cell], place: _After | _During, straight: Contents, started: datetime
) -> None:
    """Run up to ``place``, terminate every backend of the run there, and start again from the top."""
    with stage.copy() as database:
        with _begun(stage, database) as executor:
            for step, session in steps(executor, apply):
                if step.number < place.step.number:
                    walk(session, step)
                    continue
                if isinstance(place, _After):
                    walk(session, step)
                    _end(stage, executor)
                else:
                    _end_waiting(stage, database, executor, place)
                break
        stage.play(database, stage.forward, f"killed {_words(place)}, started again")
        end = now()
        mine = stage.state(database)
    if straight.differences(mine):
        mine = mine.without_times(started, end)
        if left := straight.without_times(started, end).differences(mine):
            raise Surprise(f"killed {_words(place)}, started again: not the same end: {told(left)}")


def _words(place: _After | _During) -> str:
    return str(place) if isinstance(place, _After) else f"in {place}"


def _end(stage: Stage, executor: Executor) -> None:
    stage.terminate([session.pid for session in executor.sessions.values()])


def _end_waiting(stage: Stage, database: str, executor: Executor, place: _During) -> None:
    session = executor.session(place.step.cell.options.session)
    with (
        connect(stage.server.dsn(database), autocommit=True) as monitor,
        connect(stage.server.dsn(database)) as other,
        obstructed(other, place.obstacle) as held,
    ):
        if not held or not walk(
            session, place.step, lambda: waits(monitor, session.pid, other) == place.wait
        ):
            raise Surprise(f"{place}: waited for {place.obstacle.name} in one run, and not in the next")
        _end(stage, executor)
