"""Kept servers: stored, opened again, forgotten."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.servers import forget_kept, kept, reopen, start
from support.databases import execute
from support.majors import TEST_MAJOR
from support.postmasters import socket_dir
from support.waiting import LIMIT, wait_until


def test_keep_reopen_and_forget(own_cache: Path) -> None:
    server = start(TEST_MAJOR)
    execute(server.dsn(), "CREATE TABLE wish AS SELECT 'kept' AS state")
    directory = socket_dir(server)
    server.stop(keep=True)
    assert not directory.exists()
    assert server.kept_line("postgres") == f"pgrehearse psql {server.id}/postgres"
    (one,) = kept()
    assert (one.id, one.major, one.version) == (server.id, server.major, server.version)

    for _ in range(2):  # stopping a reopened server leaves it kept
        with reopen(server.id) as again:
            assert execute(again.dsn(), "SELECT state FROM wish") == [("kept",)]
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
    server = start(TEST_MAJOR)
    server.stop(keep=True)
    code = f"""
import os, signal
from pgrehearse.servers import reopen
server = reopen({server.id!r})
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=LIMIT, check=False)
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
