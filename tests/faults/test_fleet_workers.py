"""A fleet whose workers are stopped, outlived or interrupted, or keep others waiting. Ten seconds each.

``make faults`` runs these; the sample of `test_fleet` is what every run of the tests has.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.servers import Servers
from support.faults.moments import VARIABLE
from support.fleets import Fleet, fleet_on
from support.majors import RECENT
from support.waiting import LIMIT, wait_until

pytestmark = pytest.mark.skipif(not os.environ.get(VARIABLE), reason="make faults runs it")


@pytest.fixture
def fleet(servers: Servers, tmp_path: Path) -> Iterator[Fleet]:
    """Five databases."""
    with fleet_on(servers.get(RECENT), tmp_path, 5) as made:
        yield made


def test_whoever_keeps_others_waiting_stops_the_rest(fleet: Fleet) -> None:
    fleet.declare('canary = 1\nblocked = "1s"')
    first, *others = fleet.names
    fleet.database(first).execute("CREATE TABLE shop (id int)")
    fleet.migration(1, "LOCK TABLE trace IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(6);")
    fleet.request()
    fleet.start("worker")
    applying = fleet.start("apply")
    fleet.until(["working"])
    with psycopg.connect(fleet.database(first).dsn, autocommit=True) as reader:
        reader.execute("SET statement_timeout = '30s'")
        wait_until(
            lambda: bool(
                fleet.database(first).execute(
                    "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock'"
                    " AND relation = 'trace'::regclass"
                )
            ),
            "the migration has its lock",
        )
        reader.execute("SELECT count(*) FROM trace")
    _, said = applying.communicate(timeout=LIMIT)
    assert applying.returncode == 1, said
    assert f"in {first} somebody waited longer than 00:00:01 for the migration" in said
    assert fleet.states() == {first: "done"} | dict.fromkeys(others, "planned")
    assert fleet.traces(first) == ["1"]


def test_a_build_that_outlived_its_worker_is_not_disturbed(fleet: Fleet) -> None:
    fleet.declare("canary = 1", queue=True)
    first = fleet.names[0]
    fleet.migration(1)
    fleet.request()
    fleet.start("worker")
    with psycopg.connect(fleet.database(first).dsn, autocommit=True) as builder:
        builder.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER)
        applying = fleet.start("apply")
        wait_until(
            lambda: fleet.home.one("SELECT max(attempt) FROM pgrehearse_promotion.visit") == 2, "tried twice"
        )
        assert fleet.traces(first) == []
    assert applying.wait(LIMIT) == 0
    assert fleet.traces(first) == ["1"]


def test_a_stopped_worker_that_goes_on_later_does_nothing_twice(fleet: Fleet) -> None:
    """It is not heard of for ten seconds, another takes over, it wakes up in the middle of its work."""
    fleet.declare("canary = 0\nat_once = 1")
    fleet.migration(1, "SELECT pg_sleep(2);")
    fleet.request()
    first = fleet.start("worker")
    applying = fleet.start("apply")
    fleet.until(["working"])
    os.kill(first.pid, signal.SIGSTOP)
    fleet.start("worker")
    wait_until(
        lambda: fleet.home.one("SELECT max(attempt) FROM pgrehearse_promotion.visit") == 2, "taken over"
    )
    os.kill(first.pid, signal.SIGCONT)
    assert applying.wait(LIMIT) == 0
    assert [fleet.traces(name) for name in fleet.names] == [["1"]] * 5


def test_ctrl_c_stops_it_and_what_workers_have_is_finished(fleet: Fleet) -> None:
    fleet.declare("canary = 1")
    fleet.migration(1, "SELECT pg_sleep(3);")
    fleet.request()
    fleet.start("worker")
    applying = fleet.start("apply")
    fleet.until(["working"])
    os.kill(applying.pid, signal.SIGINT)
    applying.wait(LIMIT)
    assert fleet.state() == "stopped"
    fleet.until(["done"])
    assert list(fleet.states().values()) == ["done", *["planned"] * 4]
    fleet.good("resume")
    assert [fleet.traces(name) for name in fleet.names] == [["1"]] * 5
