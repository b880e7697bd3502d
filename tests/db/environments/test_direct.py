"""What stands between a command and the server: a pooler of any kind is refused, a mere forwarder is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrehearse.connections import connect
from pgrehearse.environments.direct import direct
from pgrehearse.environments.target import open_target
from pgrehearse.errors import SetupError
from pgrehearse.migration.runner import exclusive
from pgrehearse.servers import Server
from pgrehearse.servers.url import UrlServer
from support.databases import Owned, execute, fresh
from support.multiplexer import forwarder_before, multiplexer_before
from support.poolers import bouncer_before, proxy_before
from support.programs import POOLERS

MODES = ("session", "transaction", "statement")
#: A pool is older than the clients that come to it, by more than clocks may run apart while one connects.
AGES = "SELECT pg_sleep(0.3)"
REFUSED = "refused: this connection goes through a pooler"


@pytest.fixture(scope="module")
def target(server: Server) -> Iterator[str]:
    """A database that may be migrated and rehearsed on."""
    with fresh(server, "disposable") as dsn:
        yield dsn


def opened(dsn: str) -> None:
    """What each command that works in a session does first."""
    open_target(dsn)


def runner(dsn: str) -> None:
    exclusive.connect(dsn).close()


def rehearsal(dsn: str) -> None:
    UrlServer(dsn)


def refused(reach: Callable[[str], None], dsn: str) -> str:
    """The next step of the refusal."""
    with pytest.raises(SetupError, match=REFUSED) as raised:
        reach(dsn)
    return str(raised.value.next_step)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", POOLERS)
def test_pgbouncer_is_refused_every_time_with_the_way_out(target: str, name: str, mode: str) -> None:
    with bouncer_before(target, mode, name) as pooled:
        for reach in (opened, runner, rehearsal):
            for _ in range(20):
                assert conninfo_to_dict(target)["port"] in refused(reach, pooled)


def transaction_pooler(dsn: str) -> AbstractContextManager[str]:
    return multiplexer_before(dsn, "transaction", 3)


def session_pooler(dsn: str) -> AbstractContextManager[str]:
    return multiplexer_before(dsn, "session", 3)


@pytest.mark.parametrize("before", [proxy_before, transaction_pooler, session_pooler])
def test_a_pooler_of_any_make_is_refused_every_time(
    target: str, before: Callable[[str], AbstractContextManager[str]]
) -> None:
    """Also those that tell the true process id: theirs is older than the connection."""
    with before(target) as pooled:
        execute(target, AGES)
        for reach in (opened, runner, rehearsal):
            for _ in range(20):
                refused(reach, pooled)


def test_a_server_connection_made_for_the_first_client_is_recognized_by_the_second(target: str) -> None:
    """Alone with a pooler, a client is as if there were none; commands connect more than once."""
    with multiplexer_before(target, "transaction", 1, made_before=False) as pooled:
        opened(pooled)
        execute(target, AGES)
        refused(runner, pooled)


def test_what_forwards_bytes_is_no_pooler(target: str) -> None:
    with forwarder_before(target) as proxied:
        for reach in (opened, runner, rehearsal):
            for _ in range(20):
                reach(proxied)


def test_a_connection_that_is_old_itself_is_direct(target: str) -> None:
    with connect(target, autocommit=True) as connection:
        connection.execute("SELECT pg_sleep(0.1)")
        direct(connection)


@pytest.mark.parametrize(
    "setting", ["extra_float_digits=-15", "extra_float_digits=-14", "IntervalStyle=iso_8601"]
)
def test_a_session_that_prints_fewer_digits_is_as_old_as_any(target: str, setting: str) -> None:
    for seconds in (0.0, 0.151, 0.26):  # one digit of what is a little more is 0.2, and 0.3
        with connect(target, autocommit=True, options=f"-c {setting}") as connection:
            connection.execute(f"SELECT pg_sleep({seconds})".encode())
            direct(connection)


def test_a_role_that_may_not_see_the_age_of_its_session_is_let_in(owned: Owned) -> None:
    """``ALTER ROLE ... SET role`` makes the session another's, whose activity is hidden from it."""
    execute(owned.admin, f"CREATE ROLE {owned.owner}_other; GRANT {owned.owner}_other TO {owned.owner}")
    execute(owned.admin, f"ALTER ROLE {owned.owner} SET role = {owned.owner}_other")
    try:
        with connect(owned.dsn, autocommit=True) as connection:
            row = connection.execute(
                "SELECT current_user, backend_start FROM pg_stat_get_activity(pg_backend_pid())"
            )
            assert row.fetchone() == (f"{owned.owner}_other", None)
            direct(connection)
    finally:
        execute(owned.admin, f"ALTER ROLE {owned.owner} RESET role; DROP ROLE {owned.owner}_other")


def test_a_server_that_closed_its_activity_to_the_role_is_asked_for_the_process_id_only(owned: Owned) -> None:
    execute(owned.admin, "REVOKE EXECUTE ON FUNCTION pg_stat_get_activity(int) FROM PUBLIC")
    with connect(owned.dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT pg_stat_get_activity(pg_backend_pid())")
        direct(connection)
    with (
        proxy_before(owned.dsn) as pooled,
        connect(pooled, autocommit=True) as connection,
        pytest.raises(SetupError, match=REFUSED),
    ):
        direct(connection)


@pytest.mark.parametrize("name", POOLERS)
def test_the_console_of_pgbouncer_is_refused(target: str, name: str) -> None:
    with bouncer_before(target, "session", name) as pooled:
        refused(opened, make_conninfo(pooled, dbname="pgbouncer"))


@pytest.mark.parametrize("name", POOLERS)
def test_a_pooler_that_refuses_a_setting_is_called_a_pooler(target: str, name: str) -> None:
    with bouncer_before(target, "session", name) as pooled:
        dsn = make_conninfo(pooled, options="-c lock_timeout=2s")
        for reach in (opened, runner):
            with pytest.raises(SetupError, match="unsupported startup parameter") as raised:
                reach(dsn)
            assert "a pooler says this; give the address of PostgreSQL itself" in str(raised.value.next_step)


def test_another_error_is_not_blamed_on_a_pooler(target: str) -> None:
    with pytest.raises(SetupError, match="does not exist") as raised:
        opened(make_conninfo(target, dbname="nowhere"))
    assert "pooler" not in str(raised.value.next_step)


def test_an_error_of_the_question_itself_stays_what_it_is(target: str) -> None:
    with connect(target) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1/0")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            direct(connection)
