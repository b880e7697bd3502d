"""However a run ends, no server and no directory is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pgrehearse.servers import local, start
from support.majors import TEST_MAJOR
from support.postmasters import postmaster, socket_dir
from support.processes import alive, hearing
from support.waiting import LIMIT, wait_until

PARENT = """
import sys, psycopg
from pgrehearse.servers import start
server = start({major!r})
connection = psycopg.connect(server.dsn(), autocommit=True)
host = server.env("postgres")["PGHOST"]
with open(host + "/data/postmaster.pid") as file:
    print(host, file.readline().strip(), flush=True)
{then}
"""


def parent(then: str) -> tuple[subprocess.Popen[str], Path, int]:
    """A process with a server: itself, the server's directory, the postmaster's id."""
    with hearing():
        process = subprocess.Popen(
            [sys.executable, "-c", PARENT.format(major=TEST_MAJOR, then=then)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    directory, pid = process.stdout.readline().split()  # before it goes on: the server may be gone at once
    return process, Path(directory), int(pid)


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
    process.wait(LIMIT)
    close(process)
    wait_until(lambda: not alive(pid), "the postmaster ends")
    wait_until(lambda: not directory.exists(), "the directory goes")


def test_plain_exit_without_stop_has_ended_the_server_already() -> None:
    process, directory, pid = parent("")
    assert process.wait(LIMIT) == 0
    close(process)
    assert not alive(pid)
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
    out, _ = process.communicate("", timeout=LIMIT)
    assert out == "still here\n"
    assert not alive(pid)
    assert not directory.exists()


def test_killed_server_is_noticed_and_cleaned_up() -> None:
    server = start(TEST_MAJOR)
    directory = socket_dir(server)
    os.kill(postmaster(directory), signal.SIGKILL)
    wait_until(lambda: not server.alive(), "the death is seen")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn())
    server.stop()
    assert not directory.exists()


def test_killed_backend_is_no_dead_server() -> None:
    with start(TEST_MAJOR) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        assert server.alive()
        wait_until(lambda: "was terminated by signal 9" in server.log_tail(200), "it is in the log")


def test_killed_supervisor_still_lets_us_stop() -> None:
    server = start(TEST_MAJOR)
    assert isinstance(server, local.LocalServer)
    directory = socket_dir(server)
    pid = postmaster(directory)
    # The whole group except the server: the shell and the subshell that waits for us.
    os.kill(server._supervisor.pid, signal.SIGKILL)
    server.stop()
    wait_until(lambda: not alive(pid), "the postmaster ends")
    assert not directory.exists()


def test_term_to_the_supervisor_stops_the_server() -> None:
    server = start(TEST_MAJOR)
    assert isinstance(server, local.LocalServer)
    directory = socket_dir(server)
    pid = postmaster(directory)
    os.kill(server._supervisor.pid, signal.SIGTERM)
    wait_until(lambda: not alive(pid), "the postmaster ends")
    assert not server.alive()
    server.stop()
    assert not directory.exists()


def test_kill_9_of_the_server_leaves_no_shared_memory() -> None:
    """PostgreSQL's own segments outlive a postmaster that was killed, until a restart removes them."""
    with start(TEST_MAJOR) as server:
        directory = socket_dir(server)
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            where = connection.execute("SHOW dynamic_shared_memory_type").fetchone()
        segments = list((directory / "data" / "pg_dynshmem").iterdir())
        assert (where, bool(segments)) == (("mmap",), True)  # they go with the folder
        os.kill(postmaster(directory), signal.SIGKILL)
    wait_until(lambda: not directory.exists(), "its folder is gone")
