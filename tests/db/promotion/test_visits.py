"""The waves of a promotion over several databases are kept by PostgreSQL, whoever calls what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg.types.json import Jsonb

from pgrehearse.environments.rollouts import Rollout
from pgrehearse.errors import SetupError
from pgrehearse.promotion import audit
from pgrehearse.promotion.store import opened
from pgrehearse.promotion.visits import Visits
from support.databases import execute
from support.promotions import ITEMS, Stage, call

SECOND = timedelta(seconds=1)
NAMES = ["one", "two", "three", "four", "five"]


@contextmanager
def begun(stage: Stage, how: Rollout) -> Iterator[tuple[Visits, int]]:
    """A promotion to five databases that is being applied in waves, and its runner's session."""
    number = stage.ask("rita", call("request"), Jsonb(ITEMS[:1]), NAMES, "")[0][0]
    stage.approve("dora", number)
    with stage.applying() as session:
        session.execute(call("start").encode(), [number, stage.hash(number), stage.gates()])
        visits = Visits(session)
        visits.roll_out(number, how)
        yield visits, number


def states(visits: Visits, promotion: int) -> list[str]:
    return [one.state for one in visits.all(promotion)]


def took(visits: Visits, promotion: int, worker: str = "w") -> tuple[int, int] | None:
    """The database that a worker got, and its attempt."""
    taken = visits.claim(promotion, worker)
    return None if taken is None else (taken.target, taken.attempt)


def did(visits: Visits, promotion: int, target: int) -> None:
    """The next is ``target``, and is done."""
    taken = visits.claim(promotion, "w")
    assert taken is not None and taken.target == target
    visits.step(promotion, target, 1, "started")
    visits.step(promotion, target, 1, "done")
    assert visits.settle(promotion, target, taken.attempt, "done")


def silent(stage: Stage, target: int) -> None:
    """Its worker was last heard of 11 seconds ago."""
    execute(
        stage.dsn,
        "BEGIN; ALTER TABLE pgrehearse_promotion.visit DISABLE TRIGGER guard;"
        f" UPDATE pgrehearse_promotion.visit SET seen_at = seen_at - interval '11 s' WHERE target = {target};"
        " ALTER TABLE pgrehearse_promotion.visit ENABLE ALWAYS TRIGGER guard; COMMIT",
    )


def test_what_one_of_five_databases_got_was_not_brought_to_all(stage: Stage) -> None:
    """The others may have it by other hands, whatever became of the promotion; a later one counts."""
    with begun(stage, Rollout(canary=1, wave=5)) as (visits, promotion):
        visits.open_wave(promotion)
        did(visits, promotion, 1)
        with opened(stage.as_("ron"), "test") as store:
            assert store.brought() == {}
            visits.open_wave(promotion)
            for target in (2, 3, 4):
                did(visits, promotion, target)
            visits.skip(promotion, 5, "by hand")
            assert store.brought() == {}
            store.finish(promotion)
            assert store.brought() == {}
    with begun(stage, Rollout(canary=1, wave=5)) as (visits, promotion):
        for target in range(1, 6):
            visits.open_wave(promotion)
            did(visits, promotion, target)
        with opened(stage.as_("vic"), "test") as store:
            assert list(store.brought()) == [(ITEMS[0]["version"], ITEMS[0]["sha256"])]


def test_a_wave_is_opened_when_all_of_the_one_before_are_done(stage: Stage) -> None:
    with begun(stage, Rollout(canary=1, wave=2)) as (visits, promotion):
        assert [one.wave for one in visits.all(promotion)] == [1, 2, 2, 3, 3]
        assert visits.open_wave(promotion) == 1
        assert visits.open_wave(promotion) == 1
        assert states(visits, promotion) == ["open", "planned", "planned", "planned", "planned"]
        did(visits, promotion, 1)
        assert took(visits, promotion) is None
        assert visits.open_wave(promotion) == 2
        did(visits, promotion, 2)
        assert visits.open_wave(promotion) == 2
        did(visits, promotion, 3)
        assert visits.open_wave(promotion) == 3
        did(visits, promotion, 4)
        did(visits, promotion, 5)
        assert visits.open_wave(promotion) is None
        visits.finish(promotion)
        assert stage.state(promotion) == "applied"


@pytest.mark.parametrize(
    ("canary", "wave", "expected"),
    [
        (0, 0, [1] * 5),
        (0, 2, [1, 1, 2, 2, 3]),
        (2, 0, [1, 1, 2, 2, 2]),
        (9, 1, [1] * 5),
        (1, 1, [1, 2, 3, 4, 5]),
    ],
)
def test_sizes_of_waves(stage: Stage, canary: int, wave: int, expected: list[int]) -> None:
    with begun(stage, Rollout(canary=canary, wave=wave)) as (visits, promotion):
        assert [one.wave for one in visits.all(promotion)] == expected


def test_a_step_outside_its_wave_is_refused(stage: Stage) -> None:
    """Also by whoever calls the functions by hand: the runner's own role."""
    with begun(stage, Rollout()) as (visits, promotion):
        visits.open_wave(promotion)
        for target in (1, 2):
            with pytest.raises(SetupError, match="nobody may work at it now"):
                visits.step(promotion, target, 1, "started")
        assert took(visits, promotion) == (1, 1)
        visits.step(promotion, 1, 1, "started")
        with pytest.raises(SetupError, match="has steps that are not done"):
            visits.settle(promotion, 1, 1, "done")
        with pytest.raises(SetupError, match="steps that are not done"):
            visits.finish(promotion)


def test_one_worker_has_a_database_until_it_is_silent(stage: Stage) -> None:
    with begun(stage, Rollout()) as (visits, promotion):
        visits.open_wave(promotion)
        assert visits.wanted(promotion) == 1
        assert took(visits, promotion, "first") == (1, 1)
        assert took(visits, promotion, "second") is None
        assert visits.wanted(promotion) == 0
        silent(stage, 1)
        assert visits.wanted(promotion) == 1
        assert took(visits, promotion, "second") == (1, 2)
        assert not visits.beat(promotion, 1, 1, None, None)
        assert not visits.settle(promotion, 1, 1, "failed", "too late")
        assert visits.beat(promotion, 1, 2, None, None)
        assert visits.settle(promotion, 1, 2, "open", "somebody still builds there")
        assert visits.wanted(promotion) == 0  # it rests a moment
        assert took(visits, promotion, "third") is None
        silent(stage, 1)
        assert took(visits, promotion, "third") == (1, 3)


@pytest.mark.parametrize("state", ["skipped", "planned", "working", "nothing", None])
def test_an_attempt_ends_in_no_other_way(stage: Stage, state: str | None) -> None:
    """Else a runner could leave out a database whose worker is gone, without a reason and past the trail."""
    with begun(stage, Rollout()) as (visits, promotion):
        visits.open_wave(promotion)
        took(visits, promotion)
        silent(stage, 1)
        with pytest.raises(SetupError, match="an attempt ends done, failed or open"):
            visits.settle(promotion, 1, 1, state or None)  # type: ignore[arg-type]


def test_no_more_are_worked_at_than_the_roll_out_says(stage: Stage) -> None:
    with begun(stage, Rollout(canary=0, at_once=2)) as (visits, promotion):
        visits.open_wave(promotion)
        assert [took(visits, promotion) for _ in range(3)] == [(1, 1), (2, 1), None]
        silent(stage, 1)
        assert took(visits, promotion) == (1, 2)
        assert took(visits, promotion) is None
        visits.step(promotion, 2, 1, "started")
        visits.step(promotion, 2, 1, "done")
        visits.settle(promotion, 2, 1, "done")
        assert took(visits, promotion) == (3, 1)


def test_two_who_claim_at_the_same_time_get_two(stage: Stage) -> None:
    with (
        begun(stage, Rollout(canary=0)) as (visits, promotion),
        psycopg.connect(stage.as_("ron")) as other,
    ):
        visits.open_wave(promotion)
        found = other.execute(
            "SELECT target FROM pgrehearse_promotion.claim(%s, 'x')", [promotion]
        ).fetchone()
        assert found == (1,)
        assert took(visits, promotion) == (2, 1)
        other.rollback()
        assert took(visits, promotion) == (1, 1)


def test_what_is_recorded_as_done_is_told_to_the_next_worker(stage: Stage) -> None:
    with begun(stage, Rollout()) as (visits, promotion):
        visits.open_wave(promotion)
        first = visits.claim(promotion, "w")
        assert first is not None and (first.database, first.done, first.lag) == ("one", [], None)
        visits.step(promotion, 1, 1, "started")
        visits.step(promotion, 1, 1, "done")
        silent(stage, 1)
        second = visits.claim(promotion, "w")
        assert second is not None and second.done == [1]


@pytest.mark.parametrize(
    ("how", "seen", "words"),
    [
        (
            Rollout(canary=3, blocked=SECOND),
            (2 * SECOND, None),
            "in one somebody waited longer than 00:00:01 for the migration",
        ),
        (Rollout(canary=3, lag=SECOND), (None, 2 * SECOND), "a standby of one was more than 00:00:01 behind"),
        (Rollout(canary=3, blocked=3 * SECOND, lag=3 * SECOND), (2 * SECOND, 2 * SECOND), None),
        (Rollout(canary=3), (2 * SECOND, 2 * SECOND), None),
    ],
)
def test_what_was_seen_stops_it(
    stage: Stage, how: Rollout, seen: tuple[timedelta | None, timedelta | None], words: str | None
) -> None:
    with begun(stage, how) as (visits, promotion):
        visits.open_wave(promotion)
        took(visits, promotion)
        assert visits.halt(promotion) is None
        visits.beat(promotion, 1, 1, *seen)
        visits.beat(promotion, 1, 1, timedelta(), timedelta())  # it was so, even when it is over
        assert visits.halt(promotion) == words
        assert (took(visits, promotion) is None) == (words is not None)
        did_before = visits.all(promotion)[0]
        assert did_before.state == "working"  # what was begun is ended
        visits.step(promotion, 1, 1, "started")
        visits.step(promotion, 1, 1, "done")
        assert visits.settle(promotion, 1, 1, "done")


def test_a_wave_that_takes_too_long_stops_it_and_resume_counts_anew(stage: Stage) -> None:
    with begun(stage, Rollout(canary=1, wave=2, duration=timedelta(milliseconds=1))) as (visits, promotion):
        visits.open_wave(promotion)
        stage.ask("postgres", "SELECT pg_sleep(0.01)")
        assert visits.halt(promotion) == "wave 1 takes longer than 00:00:00.001"
        assert took(visits, promotion) is None
        with pytest.raises(SetupError, match="no further wave is begun"):
            visits.open_wave(promotion)
        visits.roll_out(promotion, Rollout(duration=timedelta(hours=1)))
        assert visits.halt(promotion) is None
        assert [one.wave for one in visits.all(promotion)] == [1, 2, 2, 3, 3]  # as they were made
        visits.open_wave(promotion)
        did(visits, promotion, 1)


@pytest.mark.parametrize("state", ["open", "failed"])
def test_what_was_seen_before_a_resume_counts_no_more(stage: Stage, state: str) -> None:
    how = Rollout(canary=1, blocked=SECOND, lag=SECOND)
    with begun(stage, how) as (visits, promotion):
        visits.open_wave(promotion)
        took(visits, promotion)
        visits.beat(promotion, 1, 1, 2 * SECOND, 2 * SECOND)
        visits.settle(promotion, 1, 1, state, "kept others waiting")
        assert visits.halt(promotion) is not None
        visits.stop(promotion, "so")
        visits.connection.execute(call("start").encode(), [promotion, stage.hash(promotion), stage.gates()])
        visits.roll_out(promotion, how)
        visits.open_wave(promotion)
        assert visits.halt(promotion) is None
        did(visits, promotion, 1)


@pytest.mark.parametrize("allowed", [0, 1])
def test_failures(stage: Stage, allowed: int) -> None:
    """Those that are allowed let a wave end; the next one begins only when they are done or skipped."""
    with begun(stage, Rollout(canary=2, failures=allowed)) as (visits, promotion):
        visits.open_wave(promotion)
        assert took(visits, promotion) == (1, 1)
        visits.settle(promotion, 1, 1, "failed", "no such table")
        assert visits.halt(promotion) == (None if allowed else "1 failed, 0 allowed: one")
        if not allowed:
            assert took(visits, promotion) is None
            return
        did(visits, promotion, 2)
        with pytest.raises(SetupError, match="wave 1 is not done"):
            visits.open_wave(promotion)
        visits.skip(promotion, 1, "no such table")
        assert visits.open_wave(promotion) == 2


def test_skipped_canaries_are_replaced(stage: Stage) -> None:
    with begun(stage, Rollout(canary=1)) as (visits, promotion):
        visits.skip(promotion, 1, "down")
        assert visits.open_wave(promotion) == 2
        assert states(visits, promotion) == ["skipped", "open", "planned", "planned", "planned"]
        did(visits, promotion, 2)
        visits.open_wave(promotion)
        assert states(visits, promotion) == ["skipped", "done", "open", "open", "open"]


def test_what_may_be_skipped(stage: Stage) -> None:
    with begun(stage, Rollout(canary=5)) as (visits, promotion):
        visits.open_wave(promotion)
        with pytest.raises(SetupError, match="without a reason"):
            visits.skip(promotion, 1, "  ")
        took(visits, promotion)
        with pytest.raises(SetupError, match="it cannot be made skipped"):
            visits.skip(promotion, 1, "slow")
        silent(stage, 1)
        visits.skip(promotion, 1, "dead")
        for target in (2, 3, 4):
            visits.skip(promotion, target, "down")
        with pytest.raises(SetupError, match="the last database"):
            visits.skip(promotion, 5, "down")
        did(visits, promotion, 5)
        assert visits.open_wave(promotion) is None
        visits.finish(promotion)
        with pytest.raises(SetupError, match="cannot be made skipped"):
            visits.skip(promotion, 1, "too late")


def test_what_was_begun_before_a_stop_is_recorded_and_nothing_else(stage: Stage) -> None:
    with begun(stage, Rollout(canary=2)) as (visits, promotion):
        visits.open_wave(promotion)
        took(visits, promotion)
        visits.step(promotion, 1, 1, "started")
        visits.stop(promotion, "interrupted")
        assert took(visits, promotion) is None
        with pytest.raises(SetupError, match="are being worked at"):
            visits.cancel(promotion, "no")
        visits.step(promotion, 1, 1, "done")
        assert visits.settle(promotion, 1, 1, "done")
        visits.cancel(promotion, "now")


@pytest.mark.parametrize("person", ["rita", "dora", "vic", "nora", "postgres"])
def test_only_a_runner_with_the_lock_opens_waves(stage: Stage, person: str) -> None:
    with begun(stage, Rollout()) as (visits, promotion):
        for statement in (
            "SELECT pgrehearse_promotion.open_wave(%s)",
            "SELECT pgrehearse_promotion.claim(%s, 'w')",
            "SELECT pgrehearse_promotion.skip(%s, 1, 'why')",
            "UPDATE pgrehearse_promotion.visit SET state = 'skipped' WHERE promotion = %s",
            "DELETE FROM pgrehearse_promotion.visit WHERE promotion = %s",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                stage.ask(person, statement, promotion)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stage.ask(
                "ron", "UPDATE pgrehearse_promotion.visit SET state = 'done' WHERE promotion = %s", promotion
            )
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="does not hold the lock"):
            stage.ask("ron", "SELECT pgrehearse_promotion.open_wave(%s)", promotion)
        assert set(states(visits, promotion)) == {"planned"}


@pytest.mark.parametrize("person", ["rita", "dora", "vic", "nora", "postgres"])
def test_only_a_runner_says_what_became_of_a_database(stage: Stage, person: str) -> None:
    with begun(stage, Rollout()) as (visits, promotion):
        visits.open_wave(promotion)
        took(visits, promotion)
        visits.step(promotion, 1, 1, "started")
        for statement in (
            "SELECT pgrehearse_promotion.beat(%s, 1, 1, '1 h', '1 h')",
            "SELECT pgrehearse_promotion.settle(%s, 1, 1, 'failed', 'so')",
            "SELECT pgrehearse_promotion.step(%s, 1, 1, 'done', '{}')",
            "SELECT pgrehearse_promotion.roll_out(%s, 1, 1, 1, 1, NULL, NULL, NULL)",
            "UPDATE pgrehearse_promotion.rollout SET at_once = 99 WHERE promotion = %s",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                stage.ask(person, statement, promotion)
        one = visits.all(promotion)[0]
        assert (one.state, one.blocked, one.lag) == ("working", None, None)


def test_the_trail_knows_what_was_skipped(stage: Stage) -> None:
    """A superuser who takes the triggers away and skips a database is seen."""
    with begun(stage, Rollout()) as (visits, promotion):
        visits.skip(promotion, 2, "down")
        visits.open_wave(promotion)
        assert audit.read(visits.connection).problems == ()
        execute(
            stage.dsn,
            "BEGIN; ALTER TABLE pgrehearse_promotion.visit DISABLE TRIGGER ALL;"
            " UPDATE pgrehearse_promotion.visit SET state = 'skipped' WHERE target = 3; COMMIT",
        )
        (problem,) = audit.read(visits.connection).problems
        assert problem == f"that database 3 of promotion {promotion} is skipped stands in its table only"
