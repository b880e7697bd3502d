"""The queue: jobs are put once, taken, put again when a worker is gone; also through a pooler."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pgrehearse.errors import SetupError
from pgrehearse.promotion import queue
from pgrehearse.servers import Servers
from support.databases import execute, fresh
from support.majors import OLD_AND_NEW, RECENT
from support.poolers import bouncer_before
from support.programs import POOLERS


@pytest.fixture(params=OLD_AND_NEW)
def dsn(servers: Servers, request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh(servers.get(request.param)) as made:
        yield made


def taken(dsn: str, name: str = "q") -> list[int]:
    """The promotions that a worker is called to until the queue is empty."""
    found: list[int] = []
    queue.serve(dsn, name, 2, found.append, until_empty=True)
    return sorted(found, key=str)


def test_what_is_put_is_taken_once_and_waits_until_then(dsn: str) -> None:
    with queue.opened(dsn, "q") as made, queue.opened(dsn, "another") as other:
        made.put(1, 3)
        made.put(2, 1)
        assert (made.waiting(1), made.waiting(2), made.waiting(3)) == (3, 1, 0)
        assert other.waiting(1) == 0
        assert taken(dsn, "another") == []
        assert taken(dsn) == [1, 1, 1, 2]
        assert (made.waiting(1), taken(dsn)) == (0, [])
    assert execute(dsn, "SELECT count(*) FROM procrastinate_jobs") == [(0,)]


def test_the_job_of_a_worker_that_is_gone_is_taken_again(dsn: str) -> None:
    with queue.opened(dsn, "q") as made:
        made.put(1, 2)
        execute(dsn, "UPDATE procrastinate_jobs SET status = 'doing'")
        assert taken(dsn) == []
        assert made.waiting(1) == 0
        made.put(1, 2)
        assert taken(dsn) == [1, 1]
        made.put(2, 1)
        made.clear(1)
        assert execute(dsn, "SELECT args ->> 'promotion' FROM procrastinate_jobs") == [("2",)]


def test_a_visit_that_raises_ends_its_job_and_not_the_worker(dsn: str) -> None:
    def visit(promotion: int) -> None:
        found.append(promotion)
        raise SetupError("away", next_step="wait")

    found: list[int] = []
    with queue.opened(dsn, "q") as made:
        made.put(1, 2)
        queue.serve(dsn, "q", 1, visit, until_empty=True)
        assert (found, made.waiting(1)) == ([1, 1], 0)


@pytest.mark.parametrize(
    "args", ['{"promotion": "1; DROP", "target": [1]}', "{}", "[]", '{"promotion": 1, "target": 1}']
)
def test_what_others_wrote_into_the_queue_stops_nobody(dsn: str, args: str) -> None:
    with queue.opened(dsn, "q") as made:
        made.put(1, 1)
        execute(
            dsn,
            "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args) VALUES"
            f" ('q', 'pgrehearse.visit', 'q/1/2', '{args}'), ('q', 'os.system', NULL, '{args}')",
        )
        made.put(1, 1)
        assert made.waiting(1) == 2
        assert taken(dsn).count(1) >= 2
        made.clear(1)


@pytest.mark.parametrize("name", POOLERS)
def test_the_queue_may_lie_behind_a_pooler(servers: Servers, name: str) -> None:
    with fresh(servers.get(RECENT)) as dsn, bouncer_before(dsn, "transaction", name) as pooled:
        with queue.opened(pooled, "q") as made:
            made.put(1, 20)
            assert made.waiting(1) == 20
        assert taken(pooled) == [1] * 20


def test_a_queue_that_cannot_be_used_is_told_with_what_to_do(dsn: str) -> None:
    with (
        pytest.raises(SetupError, match="the queue cannot be used") as raised,
        queue.opened("host=/nowhere", "q"),
    ):
        pass
    assert "queue_env" in str(raised.value.next_step)
    role = "reader_of_" + psycopg.conninfo.conninfo_to_dict(dsn)["dbname"][-6:]
    execute(dsn, f"CREATE ROLE {role} LOGIN")
    execute(dsn, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    with pytest.raises(SetupError, match="permission denied"), queue.opened(f"{dsn} user={role}", "q"):
        pass
    execute(dsn, f"DROP ROLE {role}")


def test_what_it_offers_is_sorted() -> None:
    """The one module that tests/unit/test_surface.py leaves out."""
    assert queue.__all__ == sorted(queue.__all__)
    assert all(hasattr(queue, name) for name in queue.__all__)
