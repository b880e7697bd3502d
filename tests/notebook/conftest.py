"""Kernels, and databases for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from pgrehearse.servers import Server
from support.kernels import Kernel, database_of, kernel_with


@pytest.fixture
def kernel() -> Callable[[dict[str, str]], AbstractContextManager[Kernel]]:
    """Starts a kernel whose libpq variables are those given."""
    return kernel_with


@pytest.fixture(scope="module")
def notebook(server: Server) -> Iterator[Kernel]:
    """One kernel for the tests of a module, on an empty database marked test."""
    with database_of(server, "test") as environment, kernel_with(environment) as running:
        running.run("%load_ext pgrehearse.notebook")
        yield running


@pytest.fixture
def marked(server: Server) -> Callable[[str | None], AbstractContextManager[dict[str, str]]]:
    """Makes a fresh database with that mark, or none; gives the environment of a kernel on it."""
    return lambda environment: database_of(server, environment)
