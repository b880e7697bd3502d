"""A database of a role without powers; a module fills it by a fixture of the same name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pgrehearse.servers import Server
from support import foreign as of_others
from support.foreign import Foreign


@pytest.fixture(scope="module")
def foreign_server() -> Iterator[Server]:
    with of_others.foreign_server() as running:
        yield running


@pytest.fixture
def foreign(foreign_server: Server) -> Iterator[Foreign]:
    """Empty, and dropped after the test."""
    with of_others.foreign_database(foreign_server) as database:
        yield database
