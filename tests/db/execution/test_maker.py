"""Disposable databases: whatever happens, they are named, marked and dropped."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pgrehearse.environments.target import open_target
from pgrehearse.errors import SetupError
from pgrehearse.execution.maker import Maker
from pgrehearse.execution.session import Message
from pgrehearse.servers import Server
from support.databases import execute, names


@pytest.fixture
def maker(server: Server) -> Iterator[Maker]:
    before = names(server)
    made = Maker(server)
    yield made
    made.close()
    assert names(server) == before


def test_a_copy_is_named_and_marked(server: Server, maker: Maker) -> None:
    template = maker.create("Template: one")
    execute(server.dsn(template), "CREATE TABLE a (n int)")
    name = maker.create("x", template)
    assert execute(server.dsn(name), "SELECT count(*) FROM a") == [(0,)]
    assert open_target(server.dsn(name)).environment == "disposable"
    assert template.endswith("_template_one")


def test_one_that_nobody_will_see_needs_no_mark(server: Server, maker: Maker) -> None:
    name = maker.create("x", marked=False)
    with pytest.raises(SetupError, match="does not say which environment"):
        open_target(server.dsn(name))


def test_a_temporary_one_goes_with_its_block(server: Server, maker: Maker) -> None:
    with maker.temporary("x") as name, psycopg.connect(server.dsn(name)):
        assert name in names(server)
    assert name not in names(server)


def test_a_template_somebody_works_in_is_not_copied(server: Server, maker: Maker) -> None:
    template = maker.create("template")
    with psycopg.connect(server.dsn(template)), pytest.raises(SetupError, match="being accessed by other"):
        maker.create("x", template)
    assert maker.create("y", template) in names(server)


def test_what_an_interrupt_left_under_way_is_canceled_first(server: Server, maker: Maker) -> None:
    """Ctrl-C in the middle of making one: the next thing that is asked of the maker is to drop it."""
    name = maker.create("x")
    maker._session("admin").start([Message("SELECT pg_catalog.pg_sleep(600)", 1)])
    maker.drop(name)
    assert name not in names(server)


def test_work_is_done_again_when_the_server_lost_every_connection(server: Server, maker: Maker) -> None:
    maker.create("before")
    tries = []

    def work() -> str:
        tries.append(1)
        if len(tries) == 1:  # what a crash does to the connection
            pid = maker._session("admin").pid
            execute(server.dsn(), f"SELECT pg_terminate_backend({pid}, 60000)")
        return maker.create("after")

    assert maker.surviving(work) in names(server)
    assert len(tries) == 2
