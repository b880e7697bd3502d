"""A server by URL: only a marked one, and its password is never shown."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.errors import SetupError
from pgrehearse.servers import Server, Servers, UrlServer, binaries, libpq_environment, start
from support import databases
from support.databases import execute, name_of
from support.majors import TEST_MAJOR
from support.postmasters import socket_dir
from support.waiting import wait_until


@pytest.fixture
def marked(server: Server) -> Iterator[Callable[[str | None], str]]:
    """Make databases with an environment tag (or none) and return their connection strings."""
    with ExitStack() as stack:
        yield lambda tag: stack.enter_context(databases.fresh(server, tag, prefix="Url it's"))


def test_unmarked_is_refused_and_the_next_step_mends_it(marked: Callable[[str | None], str]) -> None:
    url = marked(None)
    with pytest.raises(SetupError, match="is not marked as disposable") as caught:
        UrlServer(url)
    name = name_of(url)
    statement = f"ALTER DATABASE \"{name}\" SET pgrehearse.environment = 'disposable'"
    assert f"{statement};" in str(caught.value.next_step)
    execute(url, statement)
    server = UrlServer(url)
    assert server.alive()
    server.stop()
    assert server.alive(), "somebody else's server is left alone"


def test_a_tag_of_the_session_is_no_tag(
    monkeypatch: pytest.MonkeyPatch, marked: Callable[[str | None], str]
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c pgrehearse.environment=disposable")
    with pytest.raises(SetupError, match="is not marked as disposable"):
        UrlServer(marked(None))


def test_a_tag_of_a_role_is_no_tag(server: Server, marked: Callable[[str | None], str]) -> None:
    url = marked(None)
    name = name_of(url)
    execute(server.dsn(), f"ALTER ROLE postgres IN DATABASE \"{name}\" SET pgrehearse.environment = 'test'")
    with pytest.raises(SetupError, match="is not marked as disposable"):
        UrlServer(url)


@pytest.mark.parametrize("tag", ["disposable", "development", "test"])
def test_marked_is_accepted(marked: Callable[[str | None], str], server: Server, tag: str) -> None:
    given = UrlServer(marked(tag))
    assert (given.major, given.version.split()[0]) == (server.major, server.version)


@pytest.mark.parametrize("tag", ["production", "staging", "", "disposable2"])
def test_other_tags_are_refused_without_advice_to_change_them(
    marked: Callable[[str | None], str], tag: str
) -> None:
    with pytest.raises(SetupError, match=f"is marked '{tag}'") as caught:
        UrlServer(marked(tag))
    assert "ALTER DATABASE" not in str(caught.value)


def test_without_createdb_is_refused(server: Server, marked: Callable[[str | None], str]) -> None:
    role = f"plain_{secrets.token_hex(4)}"
    execute(server.dsn(), f"CREATE ROLE {role} LOGIN")
    try:
        with pytest.raises(SetupError, match="may not create databases") as caught:
            UrlServer(make_conninfo(marked("test"), user=role))
        assert f'ALTER ROLE "{role}" CREATEDB' in str(caught.value.next_step)
    finally:
        execute(server.dsn(), f"DROP ROLE {role}")


def test_unreachable_server() -> None:
    with pytest.raises(SetupError, match="cannot be used") as caught:
        UrlServer("postgresql://someone:s3crt@127.0.0.1:1/db")
    assert "s3crt" not in str(caught.value)
    assert "Connection refused" in str(caught.value)


def test_missing_database(server: Server) -> None:
    with pytest.raises(SetupError, match='database "nowhere" does not exist'):
        UrlServer(server.dsn("nowhere"))


def test_passwords_are_checked_passed_on_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with start(TEST_MAJOR) as server:
        execute(server.dsn(), "CREATE ROLE owner LOGIN CREATEDB PASSWORD 's3crt-right'")
        execute(server.dsn(), "CREATE DATABASE play OWNER owner")
        databases.mark(server.dsn("play"), "test")
        rules = "local all postgres trust\nlocal all all scram-sha-256\n"
        (socket_dir(server) / "data" / "pg_hba.conf").write_text(rules, "utf-8")
        execute(server.dsn(), "SELECT pg_reload_conf()")
        base = server.dsn("play", user="owner")

        def asks() -> bool:
            try:
                psycopg.connect(base).close()
            except psycopg.OperationalError:
                return True
            return False

        wait_until(asks, "the new rules are in force")
        with pytest.raises(SetupError, match="password authentication failed") as caught:
            UrlServer(make_conninfo(base, password="s3crt-wrong"))  # noqa: S106
        assert "s3crt" not in str(caught.value)

        given = UrlServer(make_conninfo(base, password="s3crt-right"))  # noqa: S106
        assert execute(given.dsn("play"), "SELECT 1") == [(1,)]
        assert "s3crt" not in given.psql_line("play") + given.kept_line("play") + repr(given) + given.source
        psql = [str(binaries.client("psql")), "-XAtc", "SELECT 1"]
        done = subprocess.run(psql, env=libpq_environment(given.env("play")), capture_output=True, check=True)
        assert done.stdout == b"1\n"
        assert "password" not in given.dsn("play", user="another"), "not sent in another's name"

        monkeypatch.setenv("PGREHEARSE_SERVER", make_conninfo(base, password="s3crt-right"))  # noqa: S106
        with Servers() as pool:
            assert isinstance(pool.get(), UrlServer)
            assert pool.get(server.major) is pool.get()
            with pytest.raises(SetupError, match="was asked for, but the URL's server is") as other:
                pool.get(15 if server.major != 15 else 16)
            assert "s3crt" not in str(other.value)
        assert server.alive()
