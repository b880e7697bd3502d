"""Servers and databases for all tests that need one; started when first asked for."""

from __future__ import annotations

import gc
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.servers import Server, Servers, binaries
from pgrehearse.text.project import Project
from support import ROOT, databases
from support.majors import TEST_MAJOR

# The same examples in every run; `make thorough` looks for others.
settings.register_profile("fast", derandomize=True, database=None, deadline=None, max_examples=25)
settings.register_profile("thorough", derandomize=False, database=None, deadline=None, max_examples=500)
settings.load_profile("fast")


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: looking for garbage among them takes a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """All servers of this test process; stopped at its end."""
    with Servers() as pool:
        yield pool


@pytest.fixture(scope="session")
def server(servers: Servers) -> Server:
    """The server of PGREHEARSE_TEST_MAJOR, else the default. None to be had is an error, not a skip."""
    return servers.get(TEST_MAJOR)


@pytest.fixture(scope="session")
def repository() -> Project:
    """This repository."""
    return Project.at(ROOT)


@pytest.fixture(scope="session")
def rehearser(repository: Project) -> Iterator[Rehearser]:
    """Makes databases with this repository's migrations and seed; on servers of its own.

    It replaces a server on which a document left something: others' tests must not lose theirs.
    """
    with Rehearser(repository, Servers(), keep=False) as made:
        yield made


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The connection string of a fresh, empty database, dropped after the test."""
    with databases.fresh(server) as dsn:
        yield dsn


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without PostgreSQL, with a cache of its own: each test adds what it is about."""
    monkeypatch.setenv("PGREHEARSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PGREHEARSE_BINDIR", raising=False)
    monkeypatch.setattr(binaries, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(binaries, "_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
