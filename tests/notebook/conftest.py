"""Kernels, and databases for them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import nbformat
import psycopg
import pytest
from nbclient import NotebookClient
from psycopg import sql

from pgrehearse.servers import Server, libpq_environment


class Kernel:
    """A running kernel; ``run`` executes one cell and gives what it printed."""

    def __init__(self, client: NotebookClient) -> None:
        self.client = client
        self.client.nb.cells.clear()

    def run(self, source: str) -> str:
        """Execute ``source``. Raises CellExecutionError, whose text holds what a reader sees."""
        cell = nbformat.v4.new_code_cell(source)
        self.client.nb.cells.append(cell)
        self.client.execute_cell(cell, len(self.client.nb.cells) - 1)
        outputs = [output.get("text", "") for output in cell.outputs]
        return "".join(outputs)


@contextmanager
def started(environment: dict[str, str]) -> Iterator[Kernel]:
    notebook = nbformat.v4.new_notebook()
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    with client.setup_kernel(env=environment):
        yield Kernel(client)


@pytest.fixture
def kernel() -> Callable[[dict[str, str]], AbstractContextManager[Kernel]]:
    """Starts a kernel whose libpq variables are those given."""
    return started


@pytest.fixture(scope="module")
def notebook(server: Server) -> Iterator[Kernel]:
    """One kernel for the tests of a module, on an empty database marked test."""
    with database_of(server, "test") as environment, started(environment) as running:
        running.run("%load_ext pgrehearse.notebook")
        yield running


@contextmanager
def database_of(server: Server, environment: str | None) -> Iterator[dict[str, str]]:
    """The environment of a kernel on a fresh database that is marked ``environment``."""
    name = sql.Identifier(f"notebook_{secrets.token_hex(4)}")
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
        if environment:
            admin.execute(
                sql.SQL("ALTER DATABASE {} SET pgrehearse.environment = {}").format(
                    name, sql.Literal(environment)
                )
            )
        try:
            yield libpq_environment(server.env(name.as_string(admin).strip('"')))
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def marked(server: Server) -> Callable[[str | None], AbstractContextManager[dict[str, str]]]:
    """Makes a fresh database with that mark, or none; gives the environment of a kernel on it."""
    return lambda environment: database_of(server, environment)
