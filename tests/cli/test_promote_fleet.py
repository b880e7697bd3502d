"""``pgrehearse promote`` over a group: waves, workers, and what stops them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.servers import Servers
from support.fleets import Fleet, fleet_on
from support.processes import end
from support.waiting import wait_until


@pytest.fixture
def fleet(servers: Servers, tmp_path: Path) -> Iterator[Fleet]:
    """Five databases."""
    with fleet_on(servers.get(18), tmp_path, 5) as made:
        yield made


def done(fleet: Fleet, *names: str) -> dict[str, str]:
    """The states when these are done."""
    return {name: "done" if name in names else "planned" for name in fleet.names}


@pytest.mark.parametrize("queue", [False, True], ids=["here", "workers"])
def test_a_canary_that_fails_leaves_all_the_others_untouched(fleet: Fleet, queue: bool) -> None:
    """Then it is mended and resumed, and every database has it once."""
    fleet.declare("canary = 1\nwave = 2", queue=queue)
    canary, *others = fleet.names
    fleet.database(canary).execute("CREATE TABLE shop (old int)")
    fleet.migration(1, "CREATE TABLE shop (id int);")
    fleet.request()
    if queue:
        fleet.start("worker")
    stopped = fleet.call("apply")
    assert stopped.status == 1, stopped.said
    assert "1 failed, 0 allowed" in stopped.err
    assert 'relation "shop" already exists' in stopped.err
    assert fleet.states() == {canary: "failed"} | dict.fromkeys(others, "planned")
    for name in others:
        assert fleet.database(name).one("SELECT to_regclass('pgrehearse.attempt')") is None
    told = fleet.good("status")
    assert f"{canary}: failed" in told
    assert "4 planned" in told
    fleet.database(canary).execute("DROP TABLE shop")
    assert "is applied" in fleet.good("resume")
    assert [fleet.traces(name) for name in fleet.names] == [["1"]] * 5
    assert "nothing was begun" in fleet.call("resume").err


def test_one_is_skipped_and_the_next_promotion_takes_it_along(fleet: Fleet) -> None:
    fleet.declare("canary = 0", queue=False)
    broken = fleet.names[2]
    fleet.database(broken).execute("CREATE TABLE shop (old int)")
    fleet.migration(1, "CREATE TABLE shop (id int);")
    fleet.request()
    assert fleet.call("apply").status == 1
    assert "is not for a database" in fleet.call("skip", "nothing", "--why", "x").err
    assert "without a reason" in fleet.call("skip", broken, "--why", " ").err
    fleet.good("skip", broken, "--why", "an old shop, moved next week")
    assert "skipped: 1 database" in fleet.good("resume")
    assert fleet.states() == dict.fromkeys(fleet.names, "done") | {broken: "skipped"}
    assert f"{broken}: skipped: an old shop, moved next week" in fleet.good("status")
    fleet.database(broken).execute("DROP TABLE shop")
    fleet.migration(2)
    fleet.request()
    fleet.good("apply")
    assert [fleet.traces(name) for name in fleet.names] == [["1", "2"]] * 5


def test_one_that_cannot_be_reached_is_skipped_before_the_start(fleet: Fleet) -> None:
    fleet.declare("canary = 0", queue=False)
    fleet.migration(1)
    fleet.request()
    away = fleet.names[1]
    fleet.home.execute(f"ALTER DATABASE {away} ALLOW_CONNECTIONS false")
    assert fleet.call("apply").status == 69
    fleet.good("skip", away, "--why", "away")
    fleet.good("apply", "--at-once", "3")
    assert fleet.states() == dict.fromkeys(fleet.names, "done") | {away: "skipped"}


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
    _, said = applying.communicate(timeout=60)
    assert applying.returncode == 1, said
    assert f"in {first} somebody waited longer than 00:00:01 for the migration" in said
    assert fleet.states() == {first: "done"} | dict.fromkeys(others, "planned")
    assert fleet.traces(first) == ["1"]


def test_a_limit_that_cannot_be_watched_stops_before_anything_is_done(fleet: Fleet) -> None:
    fleet.declare('lag = "1s"', queue=False)
    fleet.migration(1)
    fleet.request()
    assert f"GRANT pg_read_all_stats TO {fleet.deploy}" in fleet.call("apply").err
    assert fleet.traces(fleet.names[0]) == []
    fleet.home.execute(f"GRANT pg_read_all_stats TO {fleet.deploy}")
    fleet.good("resume")


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
    assert applying.wait(60) == 0
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
    assert applying.wait(60) == 0
    assert [fleet.traces(name) for name in fleet.names] == [["1"]] * 5


def test_ctrl_c_stops_it_and_what_workers_have_is_finished(fleet: Fleet) -> None:
    fleet.declare("canary = 1")
    fleet.migration(1, "SELECT pg_sleep(3);")
    fleet.request()
    fleet.start("worker")
    applying = fleet.start("apply")
    fleet.until(["working"])
    os.kill(applying.pid, signal.SIGINT)
    applying.wait(30)
    assert fleet.state() == "stopped"
    fleet.until(["done"])
    assert list(fleet.states().values()) == ["done", *["planned"] * 4]
    fleet.good("resume")
    assert [fleet.traces(name) for name in fleet.names] == [["1"]] * 5


def test_without_the_extra_the_queue_is_refused_with_what_to_install(fleet: Fleet) -> None:
    fleet.declare()
    fleet.migration(1)
    (fleet.root / "hidden").mkdir()
    (fleet.root / "hidden/procrastinate.py").write_text(
        "raise ModuleNotFoundError('no', name='procrastinate')\n", "utf-8"
    )
    worker = fleet.start("worker", PYTHONPATH=str(fleet.root / "hidden"))
    _, said = worker.communicate(timeout=30)
    assert worker.returncode == 69
    assert "pip install 'pgrehearse[fleet]'" in said


def test_a_worker_without_a_queue_is_refused(fleet: Fleet) -> None:
    fleet.declare(queue=False)
    fleet.migration(1)
    assert "has no queue" in fleet.call("worker").err


def test_a_worker_that_may_not_says_so(fleet: Fleet) -> None:
    """Not once a millisecond, and the promotion waits for one that may."""
    fleet.declare()
    fleet.migration(1)
    fleet.request()
    role = f"nobody_{fleet.tag}"
    fleet.home.execute(f"CREATE ROLE {role} LOGIN SUPERUSER")
    dsn = make_conninfo(fleet.home.dsn, user=role)
    try:
        worker = fleet.start("worker", FLEET_DSN=dsn)
        applying = fleet.start("apply")
        assert worker.stderr is not None
        said = ""
        while "being a superuser does not count" not in said and "may not apply" not in said:
            said = worker.stderr.readline()
            assert said, "the worker ended"
        end(worker)
        fleet.start("worker")
        assert applying.wait(60) == 0
    finally:
        fleet.home.execute(f"DROP ROLE {role}")
