"""The rehearsals that need one database and no disturbance: straight, undone, repeated."""

from __future__ import annotations

from pgrehearse.measurement.rehearsals.rehearsal import Rehearsal, Surprise
from pgrehearse.measurement.rehearsals.stage import Stage

__all__ = ["repeated", "straight", "undone"]

#: Differences told in a reason, and kept in the facts of a runbook that cannot be undone.
SHOWN = 12


def straight(stage: Stage) -> Rehearsal:
    """Preflight, Apply, Verify: every cell does what it says, and the database is another one then."""
    with stage.copy() as database:
        before = stage.state(database)
        stage.play(database, stage.forward, "straight")
        changed = before.differences(stage.state(database))
    facts = {"cells": len(stage.set_up) + len(stage.forward), "changes": changed[:SHOWN]}
    return Rehearsal("straight", "passed", facts=facts)


def undone(stage: Stage) -> Rehearsal:
    """Apply, then Roll back in a session that knows nothing of Apply: the database is as it was before.

    A runbook with ``undo`` in its front matter says that it cannot be; then the differences are facts.
    """
    if not stage.back:
        return Rehearsal("undone", "not run", "the runbook has no phase Roll back")
    with stage.copy() as database:
        before = stage.state(database)
        stage.play(database, stage.forward, "before it was undone")
        stage.play(database, stage.back, "Roll back")
        left = before.differences(stage.state(database))
    reason = stage.document.front.undo
    if reason and not left:
        raise Surprise(
            f"the front matter says undo: {reason!r}, but Roll back leaves nothing: remove the key"
        )
    if reason:
        return Rehearsal("undone", "not undoable", reason, {"left": left[:SHOWN]})
    if left:
        raise Surprise("Roll back leaves differences: " + told(left))
    return Rehearsal("undone", "passed")


def repeated(stage: Stage) -> Rehearsal:
    """Apply twice, the second time in new sessions: it is green, and it changes nothing."""
    with stage.copy() as database:
        stage.play(database, stage.forward, "first time")
        first = stage.state(database)
        stage.play(database, stage.forward, "second time")
        changed = first.differences(stage.state(database))
    if changed:
        raise Surprise("the second Apply changes: " + told(changed))
    return Rehearsal("repeated", "passed")


def told(lines: list[str]) -> str:
    """The first of ``lines`` in one, and how many are left out."""
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more
