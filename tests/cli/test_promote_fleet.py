"""``pgrehearse promote`` over a group: waves, workers, and what stops them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.servers import Servers
from support.fleets import Fleet, fleet_on
from support.majors import RECENT
from support.processes import end
from support.waiting import LIMIT


@pytest.fixture
def fleet(servers: Servers, tmp_path: Path) -> Iterator[Fleet]:
    """Five databases."""
    with fleet_on(servers.get(RECENT), tmp_path, 5) as made:
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


def test_a_limit_that_cannot_be_watched_stops_before_anything_is_done(fleet: Fleet) -> None:
    fleet.declare('lag = "1s"', queue=False)
    fleet.migration(1)
    fleet.request()
    assert f"GRANT pg_read_all_stats TO {fleet.deploy}" in fleet.call("apply").err
    assert fleet.traces(fleet.names[0]) == []
    fleet.home.execute(f"GRANT pg_read_all_stats TO {fleet.deploy}")
    fleet.good("resume")


def test_without_the_extra_the_queue_is_refused_with_what_to_install(fleet: Fleet) -> None:
    fleet.declare()
    fleet.migration(1)
    (fleet.root / "hidden").mkdir()
    (fleet.root / "hidden/procrastinate.py").write_text(
        "raise ModuleNotFoundError('no', name='procrastinate')\n", "utf-8"
    )
    worker = fleet.start("worker", PYTHONPATH=str(fleet.root / "hidden"))
    _, said = worker.communicate(timeout=LIMIT)
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
        assert applying.wait(LIMIT) == 0
    finally:
        fleet.home.execute(f"DROP ROLE {role}")
