"""What a killed run left on a server of others goes with the next one; what lives or is not ours stays."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from pgrehearse.execution import shared
from pgrehearse.execution.maker import Maker
from pgrehearse.servers import Server, UrlServer, claimed, start
from support.databases import execute, mark, names
from support.majors import TEST_MAJOR
from support.waiting import wait_until

#: Makes what a run makes, and waits.
HOLD = """
import sys
from pgrehearse.execution.maker import Maker
from pgrehearse.servers import UrlServer, ordinary
server = UrlServer(sys.argv[1])
with ordinary(server) as within:
    of_nobody = Maker(within).create("ordinary")
    template = (maker := Maker(server)).create("template_5")
    maker.close_door(template)
    begun = maker.begin("next", template)
    maker.settle()
    print(of_nobody, template, begun, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def others() -> Iterator[Server]:
    """A server of its own, so that no other test sees what is dropped on it."""
    with start(TEST_MAJOR) as server:
        mark(server.dsn(), "disposable")
        yield server


@pytest.fixture
def url(others: Server) -> UrlServer:
    return UrlServer(others.dsn())


@contextmanager
def another(others: Server) -> Iterator[set[str]]:
    """The databases of a run that is at work; killed at the end, and by then the server knows."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, others.dsn()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        made = set(process.stdout.readline().split())
        assert len(made) == 3
        yield made
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    question = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    wait_until(lambda: execute(others.dsn(), question) == [(0,)], "the server has ended its sessions")


def roles(others: Server) -> list[str]:
    found = execute(others.dsn(), "SELECT rolname FROM pg_roles WHERE rolname ~ '^pgrehearse_r'")
    return [str(name) for (name,) in found]


def work(url: UrlServer) -> None:
    """What every run does first."""
    claimed.sweep.cache_clear()
    maker = Maker(url)
    maker.create("mine")
    maker.close()


def test_what_a_killed_run_left_goes(others: Server, url: UrlServer) -> None:
    with another(others) as made:
        assert made <= names(others)
        assert len(roles(others)) == 1
    assert made <= names(others), "the control: by itself it stays"
    work(url)
    assert not made & names(others)
    assert roles(others) == []


def test_what_a_run_at_work_has_stays(others: Server, url: UrlServer) -> None:
    with another(others) as made:
        work(url)
        assert made <= names(others)
        assert len(roles(others)) == 1


def test_two_runs_do_not_blame_each_other(others: Server, url: UrlServer) -> None:
    before = shared.take(url, ())
    with another(others):
        assert shared.differences(before, shared.take(url, ())) == []
        execute(others.dsn(), "CREATE DATABASE theirs")
        assert shared.differences(before, shared.take(url, ())) == ["database theirs"], "the control"


@pytest.mark.parametrize(
    "name",
    ["pgrehearse_4711_3_template_5", "pgrehearse_r123_1_x", "pgrehearse_rfffffff0_1_x",
     "pgrehearse_r00000001", "PGREHEARSE_r00000001_1_x", "my_pgrehearse_r00000001_1_x",
     "pgrehearse_staging_runner"],
)  # fmt: skip
def test_other_names_are_somebody_elses(others: Server, url: UrlServer, name: str) -> None:
    execute(others.dsn(), SQL("CREATE DATABASE {}").format(Identifier(name)).as_string())
    execute(others.dsn(), SQL("CREATE ROLE {}").format(Identifier(name)).as_string())
    work(url)
    assert name in names(others)
    assert execute(others.dsn(), f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'") == [(1,)]


@pytest.mark.parametrize(
    "made_theirs",
    [
        "COMMENT ON DATABASE {} IS 'I look at this one'",
        "COMMENT ON DATABASE {} IS 'mine [pgrehearse.environment=disposable]'",
        "COMMENT ON DATABASE {} IS '[pgrehearse.environment=staging]'",
        "ALTER DATABASE {} SET pgrehearse.environment = 'development'",
        "ALTER DATABASE {} SET work_mem = '7MB'",
    ],
)
def test_what_somebody_made_his_own_stays(others: Server, url: UrlServer, made_theirs: str) -> None:
    name = "pgrehearse_r00000001_1_x"
    execute(others.dsn(), f"CREATE DATABASE {name}")
    execute(others.dsn(), made_theirs.format(name))
    work(url)
    assert name in names(others)


def test_what_somebody_looks_at_stays_meanwhile(others: Server, url: UrlServer) -> None:
    name = "pgrehearse_r00000001_1_x"
    execute(others.dsn(), f"CREATE DATABASE {name}")
    with psycopg.connect(others.dsn(name)):
        work(url)
        assert name in names(others)
    work(url)
    assert name not in names(others)


def test_what_is_kept_for_its_reader_outlives_the_run(others: Server, url: UrlServer, tmp_path: Path) -> None:
    maker = Maker(url)
    name = maker.create(f"failed {secrets.token_hex(2)}")
    maker.keep(name)
    maker.close()
    work(url)
    assert name in names(others)


def test_a_role_that_may_not_drop_them_leaves_them(others: Server) -> None:
    name, role = "pgrehearse_r00000001_1_x", f"role_{secrets.token_hex(4)}"
    execute(others.dsn(), f"CREATE ROLE {role} LOGIN CREATEDB")
    execute(others.dsn(), f"CREATE DATABASE {name}")
    work(UrlServer(others.dsn(user=role)))
    assert name in names(others)
