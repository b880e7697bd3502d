"""Places to run migrations in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pgrehearse.servers import Server
from support import databases
from support.places import Place, place_at


@pytest.fixture
def place(tmp_path: Path, database: str) -> Iterator[Place]:
    with place_at(tmp_path, database) as made:
        yield made


@pytest.fixture
def fresh(server: Server) -> Iterator[Callable[[], str]]:
    """Makes empty databases, as many as a test wants."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(databases.fresh(server))
