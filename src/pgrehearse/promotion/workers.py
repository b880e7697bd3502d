"""Workers: processes that take databases from a queue, and what gives them out.

The queue needs the extra ``pgrehearse[fleet]``; without it this process alone carries a promotion out.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from pgrehearse.environments.declared import Environment
from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.promotion import reached
from pgrehearse.promotion.one_database import PromotionReporter
from pgrehearse.promotion.visit import Work, visit
from pgrehearse.promotion.visits import Visits
from pgrehearse.text.characters import visible

if TYPE_CHECKING:
    from pgrehearse.promotion.queue import Queue

__all__ = ["Workers", "name", "queue", "serve"]

#: Jobs that wait for workers, at most: each that is taken brings one of them to work.
_JOBS = 32
#: Seconds after a job that came to nothing: it is put again, and would be taken at once.
_REST = 1.0


class Workers:
    """Whoever takes jobs from the queue."""

    def __init__(self, queue: Queue, promotion: int, tell: Callable[[str], None]) -> None:
        self._queue, self._promotion, self._tell = queue, promotion, tell
        self._away = False

    def give(self, wanted: int) -> None:
        """Jobs, so that as many wait as workers may find something to do.

        A queue that cannot be reached is asked again later.
        """
        try:
            missing = min(wanted, _JOBS) - self._queue.waiting(self._promotion)
            if missing > 0:
                self._queue.put(self._promotion, missing)
            self._away = False
        except SetupError as error:
            if not self._away:
                self._tell(f"{error.message}; asked again until it answers")
            self._away = True


@contextmanager
def queue(environment: Environment, visits: Visits) -> Iterator[Queue]:
    """The queue of ``environment``. Raises SetupError."""
    with _queue().opened(reached.queue(environment), _called(environment, visits)) as found:
        yield found


def serve(
    work: Work, visits: Visits, at_once: int, reporter: PromotionReporter, *, until_empty: bool
) -> None:
    """Take databases from the queue and visit them, ``at_once`` at a time, until SIGTERM.

    What is being worked at then is finished. ``until_empty``: end when no job is left. Raises SetupError.
    """
    called = _called(work.environment, visits)

    def one(promotion: int) -> None:
        try:
            visit(work, promotion, name(), reporter)
        except PgRehearseError as error:  # the promotions cannot be reached, or this role may not
            reporter.tell(visible(f"promotion {promotion}: {error.message}"))
            time.sleep(_REST)

    _queue().serve(reached.queue(work.environment), called, at_once, one, until_empty=until_empty)


def name() -> str:
    """What this process is called as a worker."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _called(environment: Environment, visits: Visits) -> str:
    """Several environments and projects may share a database of queues."""
    return f"{environment.name}/{visits.home()[:16]}"


def _queue() -> ModuleType:
    try:
        from pgrehearse.promotion import queue
    except ModuleNotFoundError as error:
        raise SetupError(
            f"a queue of workers needs the package {error.name}, which is not installed",
            next_step="pip install 'pgrehearse[fleet]'; or leave out queue_env",
        ) from None
    return queue
