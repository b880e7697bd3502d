"""A promotion over several databases: wave after wave, by workers or by this process, until it is stopped.

Which database may be begun is decided by PostgreSQL (`visits`). Here the next wave is asked for, its
databases are given out, and given out again when a worker is not heard of any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from pgrehearse.environments.rollouts import Rollout
from pgrehearse.errors import ExpectationError
from pgrehearse.findings import Finding
from pgrehearse.promotion import workers
from pgrehearse.promotion.one_database import PromotionReporter
from pgrehearse.promotion.prepared import Prepared
from pgrehearse.promotion.quantities import counted
from pgrehearse.promotion.visit import Work, visit
from pgrehearse.promotion.visits import Visit, Visits
from pgrehearse.text.characters import visible

__all__ = ["roll_out"]

#: Seconds between two looks at what became of a wave; and so many times what a look takes, if that is more.
_PAUSE = 0.2
_SHARE = 20
#: Seconds after which somebody is told that no worker takes anything.
_PATIENCE = 15.0


class _Hands(Protocol):
    """Who does the work."""

    def give(self, wanted: int) -> None:
        """Have more databases taken, ``wanted`` of them."""


def roll_out(prepared: Prepared, promotion: int, how: Rollout, reporter: PromotionReporter) -> None:
    """Take a promotion that was started over its databases, or go on with it.

    Raises ExpectationError: a condition of ``how`` stopped it, or a database failed; SetupError: PostgreSQL
    refuses, or nothing can be reached. What was begun by workers is ended by them.
    """
    visits = Visits(prepared.store.connection)
    visits.roll_out(promotion, how)
    with _hands(prepared, visits, promotion, how, reporter) as hands:
        told: dict[int, tuple[str, int]] = {one.number: _key(one) for one in visits.all(promotion)}
        while (wave := _next(visits, promotion)) is not None:
            _wave(visits, promotion, wave, how, hands, reporter.tell, told)


def _next(visits: Visits, promotion: int) -> int | None:
    found = visits.all(promotion)
    if stop := visits.halt(promotion):
        if all(one.state in ("done", "skipped") for one in found):
            return None
        raise _stopped(stop, found)
    return visits.open_wave(promotion)


def _wave(
    visits: Visits,
    promotion: int,
    wave: int,
    how: Rollout,
    hands: _Hands,
    tell: Callable[[str], None],
    told: dict[int, tuple[str, int]],
) -> None:
    found = visits.all(promotion)
    many = [one for one in found if one.wave == wave and one.state in ("open", "working")]
    tell(f"wave {wave} of {max(one.wave for one in found)}: {counted(len(many), 'database')}")
    last, took = time.monotonic(), 0.0
    while True:
        for one in found:
            if told.get(one.number) != _key(one):
                told[one.number] = _key(one)
                last = time.monotonic()
                if said := visible(_said(one)):
                    tell(said)
        stop = visits.halt(promotion)
        working = [one for one in found if one.state == "working" and not one.gone]
        if stop and not working:
            raise _stopped(stop, found)
        if not any(one.state in ("open", "working") for one in found):
            failed = [one for one in found if one.state == "failed"]
            if failed:
                raise _stopped(f"wave {wave} is not done", found)
            return
        free = how.at_once - len(working) if how.at_once else len(found)
        if not stop and (wanted := min(free, visits.wanted(promotion))) > 0:
            hands.give(wanted)
        if not working and time.monotonic() - last > _PATIENCE:
            tell(f"no worker has taken anything for {_PATIENCE:.0f} s: start one with promote worker")
            last = time.monotonic()
        time.sleep(max(_PAUSE, _SHARE * took))
        began = time.monotonic()
        found = visits.all(promotion)
        took = time.monotonic() - began


def _key(one: Visit) -> tuple[str, int]:
    return ("gone" if one.gone else one.state, one.attempt)


def _said(one: Visit) -> str:
    if one.gone:
        return f"{one.database}: {one.worker} is not heard of any more; it goes to another worker"
    if one.state in ("done", "failed", "skipped"):
        return f"{one.database}: {one.state}" + (f": {one.said}" if one.said else "")
    return f"{one.database}: given back: {one.said}" if one.state == "open" and one.said else ""


def _stopped(why: str, found: Sequence[Visit]) -> ExpectationError:
    left = sum(one.state not in ("done", "skipped") for one in found)
    return ExpectationError(
        f"stopped: {why}; {left} of {len(found)} databases are not done",
        next_step="mend the cause, then pgrehearse promote resume; or leave one out: pgrehearse promote skip",
        findings=[
            Finding(one.said, kind="promotion", check="visit", about=one.database)
            for one in found
            if one.state == "failed"
        ],
    )


@contextmanager
def _hands(
    prepared: Prepared, visits: Visits, promotion: int, how: Rollout, reporter: PromotionReporter
) -> Iterator[_Hands]:
    environment = prepared.step.environment
    if environment.queue_env:
        with workers.queue(environment, visits) as queue:
            yield workers.Workers(queue, promotion, reporter.tell)
            queue.clear(promotion)
        return
    work = Work(environment, prepared.home.conninfo, lambda: prepared.migrations)
    silent = PromotionReporter(tell=reporter.tell, options=reporter.options)
    most = how.at_once or 1
    with ThreadPoolExecutor(most, "visit") as threads:
        try:
            yield _Here(threads, most, partial(visit, work, promotion, workers.name(), silent))
        finally:
            threads.shutdown(cancel_futures=True)


class _Here:
    """This process, with as many threads as databases may be worked at."""

    def __init__(self, threads: ThreadPoolExecutor, most: int, visit: Callable[[], None]) -> None:
        self._threads, self._most, self._visit = threads, most, visit
        self._given: list[Future[None]] = []

    def give(self, wanted: int) -> None:
        """See `_Hands`. Raises what a visit raised."""
        for future in self._given:
            if future.done():
                future.result()
        self._given = [future for future in self._given if not future.done()]
        for _ in range(min(wanted, self._most - len(self._given))):
            self._given.append(self._threads.submit(self._visit))
