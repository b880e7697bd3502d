"""Who is named as the cause of a wait, and what is said to end it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pgrehearse.findings import Finding
from pgrehearse.status.activity import Change, Holder, Now, Waiting

LONG, SHORT = timedelta(minutes=2), timedelta(seconds=5)


def waits(pid: int, *blockers: int, waited: timedelta = LONG) -> Waiting:
    return Waiting(pid, "app", "shop", waited, "AccessShareLock", "public.shop", "SELECT", blockers)


def holds(pid: int, state: str) -> Holder:
    return Holder(pid, "deploy", "psql", state, LONG, "LOCK TABLE")


def found(*waiting: Waiting, holders: tuple[Holder, ...] = ()) -> list[Finding]:
    return Now((), waiting, holders).findings


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("active", "cancel"),
        ("idle in transaction", "terminate"),
        ("idle in transaction (aborted)", "terminate"),
        ("idle", "terminate"),  # with a lock of its session
    ],
)
def test_what_is_said_to_end_a_wait_ends_it(state: str, word: str) -> None:
    """Canceling does nothing to who has no statement under way."""
    (one,) = found(waits(1, 2), holders=(holds(2, state),))
    assert one.message == f"pid 1 (app) waits for public.shop for 2 min, behind pid 2 (deploy, {state})"
    assert one.next_step == f"ask its owner, or: SELECT pg_{word}_backend(2)"


def test_who_waits_in_the_same_line_is_not_the_cause() -> None:
    """A reader behind a change that waits itself: PostgreSQL names both, in any order."""
    line = (waits(7, 3, 9), waits(9, 3))
    for reader in (waits(1, 9), waits(1, 9, 3), waits(1, 7)):
        said = found(reader, *line, holders=(holds(3, "idle in transaction"), holds(9, "active")))
        assert said[0].next_step == "ask its owner, or: SELECT pg_terminate_backend(3)"


def test_a_prepared_transaction_has_no_process() -> None:
    (one,) = found(waits(1, 0))
    assert one.message.endswith("behind a prepared transaction")
    assert one.next_step.startswith("see pg_prepared_xacts")


def test_who_is_gone_and_who_waits_for_each_other() -> None:
    assert found(waits(1, 2))[0].message.endswith("behind somebody who is gone")
    assert found(waits(1))[0].next_step == "look again"
    each_other = found(waits(1, 2), waits(2, 1), holders=(holds(1, "active"), holds(2, "active")))
    assert [one.next_step for one in each_other] == ["look again", "look again"]


def test_a_short_wait_needs_nobody() -> None:
    assert found(waits(1, 2, waited=SHORT), holders=(holds(2, "active"),)) == []
    assert len(found(waits(1, 2, waited=SHORT + timedelta(milliseconds=1)))) == 1


def test_what_is_under_way_is_said_in_a_few_words() -> None:
    change = Change("migration", 1, "app", "pgrehearse db up", None, "CREATE INDEX", None)
    assert Now((), (), ()).said == "nothing"
    assert Now((change,), (), ()).said == "migration: at work"
    assert Now((change,), (waits(1, 2), waits(3, 2, waited=SHORT)), ()).said == (
        "migration: at work; 2 waiting, 2 min"
    )
