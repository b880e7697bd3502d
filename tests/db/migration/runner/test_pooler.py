"""A connection through a pooler is refused: a real PgBouncer, and a proxy that acts like one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from pgrehearse.errors import SetupError
from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.migration.runner.runner import down, up
from support.places import QUICK, Place
from support.poolers import bouncer_before, proxy_before


def assert_refused(place: Place, dsn: str) -> None:
    for run in (up, down):
        with pytest.raises(SetupError, match="this connection goes through a pooler"):
            list(run(dsn, place.migrations(), options=QUICK))
    assert place.one("SELECT to_regnamespace('pgrehearse')") is None


@pytest.fixture(params=["transaction", "session"])
def bouncer(request: pytest.FixtureRequest, place: Place) -> Iterator[str]:
    """The connection string of a real PgBouncer before the place's database, on a socket of its own."""
    with bouncer_before(place.dsn, request.param) as dsn:
        yield dsn


def test_pgbouncer_is_refused_and_may_be_asked_for_the_status(place: Place, bouncer: str) -> None:
    place.write(1, "CREATE TABLE t ();", "DROP TABLE t;")
    assert_refused(place, bouncer)
    other = Place(bouncer, place.root, processes=place.processes)
    for asking in (["status"], ["up", "--dry-run"], ["timing"]):
        status, _, err = other.command(*asking)
        assert status == 0, err
    assert "0 applied, 1 pending" in other.command("status")[1]
    for needs_a_session in (["up"], ["check", "--only", "live"], ["smoke", "--read-only"]):
        status, _, err = other.command(*needs_a_session)
        assert status == SetupError.exit_code
        assert "goes through a pooler" in err


def test_a_process_id_that_is_not_the_backends_is_refused(place: Place) -> None:
    """What every pooler does, without one: it makes up the number that a client cancels by."""
    place.write(1, "CREATE TABLE t ();", "DROP TABLE t;")
    with proxy_before(place.dsn) as dsn:
        assert_refused(place, dsn)
    place.up()  # the control: the same database, directly


def test_a_lock_that_a_pooler_keeps_is_named_and_goes_with_its_connection(place: Place) -> None:
    """The incident: a tool took its lock by the pooler and left. Who migrates next is told which process."""
    place.write(1, "CREATE TABLE t ();")
    with bouncer_before(place.dsn, "transaction") as pooled:
        with psycopg.connect(pooled, autocommit=True) as another:
            another.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER)
            pid = another.execute("SELECT pg_backend_pid()").fetchone()
        assert pid is not None
        quick = replace(QUICK, wait=0.1)
        assert f"pid {pid[0]}" in place.refused(SetupError, options=quick).message
        assert place.one(f"SELECT state FROM pg_stat_activity WHERE pid = {pid[0]}") == "idle"
        assert place.one(f"SELECT pg_terminate_backend({pid[0]}, 60000)")
        place.up()
    assert place.applied() == ["1"]
