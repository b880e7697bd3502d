"""REPACK of PostgreSQL 19, measured: its waiting is done by a worker. Runs where a server of 19 is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrehearse.measurement.statement.measure import measure
from pgrehearse.servers import Server, Servers
from pgrehearse.servers.binaries import named
from support.databases import execute, fresh, name_of

if 19 not in named("all")[0]:
    pytest.skip("NOT RUN: no PostgreSQL 19 here", allow_module_level=True)


@pytest.fixture(scope="module")
def server19() -> Iterator[Server]:
    with Servers() as servers:
        yield servers.get(19)


@pytest.fixture(scope="module")
def template(server19: Server) -> Iterator[str]:
    with fresh(server19) as dsn:
        execute(dsn, "CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE other (id int)")
        execute(dsn, "INSERT INTO item SELECT generate_series(1, 20)")
        yield name_of(dsn)


@pytest.mark.parametrize(
    ("statement", "transactional"), [("REPACK item", True), ("REPACK (CONCURRENTLY) item", False)]
)
def test_both_forms_lock_and_copy(
    server19: Server, template: str, statement: str, transactional: bool
) -> None:
    """Writers of another database hold the concurrent one up; those of the measurement must not."""
    facts = measure(server19, template, statement)
    assert facts.transactional is transactional
    assert dict(facts.locks)["item"] == "ACCESS EXCLUSIVE"
    assert "other" not in dict(facts.locks)
    assert {"item", "item_pkey"} <= set(facts.rewrites)
    assert facts.blocks_reads and facts.blocks_writes


def test_a_refusal_is_a_fact(server19: Server, template: str) -> None:
    facts = measure(server19, template, "REPACK (CONCURRENTLY) other")
    assert facts.sqlstate == "55000"
