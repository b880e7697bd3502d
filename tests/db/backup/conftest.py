"""A server with the database shop, for the tests of one module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.servers import start
from support.backups import Shop, empty, opened
from support.databases import execute
from support.majors import TEST_MAJOR


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with start(TEST_MAJOR) as server:
        made = opened(server, tmp_path_factory.mktemp("backups"))
        if server.major >= 17:
            _summarize(made)
        yield made


def _summarize(shop: Shop) -> None:
    """Let incremental backups be taken, from WAL on that is whole: initdb's in a light cluster is not."""
    for _ in range(2):
        execute(shop.dsn, "SELECT pg_switch_wal()")
        execute(shop.dsn, "CHECKPOINT")
    execute(shop.dsn, "ALTER SYSTEM SET summarize_wal = on")
    execute(shop.dsn, "SELECT pg_reload_conf()")


@pytest.fixture
def into(shop: Shop) -> Iterator[Path]:
    """An empty folder for copies; it must be so at the end."""
    with empty(shop) as place:
        yield place
