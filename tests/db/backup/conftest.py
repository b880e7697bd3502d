"""A server with the database shop, for the tests of one module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.servers import start
from support.backups import Shop, empty, opened
from support.majors import TEST_MAJOR


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with start(TEST_MAJOR, settings={"summarize_wal": "on"} if (TEST_MAJOR or 18) >= 17 else {}) as server:
        yield opened(server, tmp_path_factory.mktemp("backups"))


@pytest.fixture
def into(shop: Shop) -> Iterator[Path]:
    """An empty folder for copies; it must be so at the end."""
    with empty(shop) as place:
        yield place
