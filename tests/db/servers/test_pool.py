"""The pool: one server per major, a dead one replaced."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.servers import Servers, binaries, npm
from support.majors import TEST_MAJOR
from support.postmasters import postmaster, socket_dir
from support.waiting import wait_until


def test_pool_starts_one_and_replaces_a_dead_one() -> None:
    with Servers() as pool:
        first = pool.get(TEST_MAJOR)
        assert pool.get(TEST_MAJOR) is first
        assert pool.get(first.major) is first
        os.kill(postmaster(socket_dir(first)), signal.SIGKILL)
        wait_until(lambda: not first.alive(), "the death is seen")
        second = pool.get(TEST_MAJOR)
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
