"""Notebook kernels, with a database or without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import nbformat
from nbclient import NotebookClient

from pgrehearse.servers import Server, libpq_environment
from support import databases

__all__ = ["Kernel", "database_of", "kernel_with"]


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
def kernel_with(environment: dict[str, str]) -> Iterator[Kernel]:
    """A kernel in whose environment the libpq variables are those given."""
    notebook = nbformat.v4.new_notebook()
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    with client.setup_kernel(env=environment):
        yield Kernel(client)


@contextmanager
def database_of(server: Server, environment: str | None) -> Iterator[dict[str, str]]:
    """The environment of a kernel on a fresh database that is marked ``environment``, or not marked."""
    with databases.fresh(server, environment) as dsn:
        yield libpq_environment(server.env(databases.name_of(dsn)))
