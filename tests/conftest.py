"""Servers and databases for all tests that need one; started when first asked for."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.servers import Server, Servers
from pgrehearse.text.project import Project
from support import ROOT


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """All servers of this test process; stopped at its end."""
    with Servers() as pool:
        yield pool


@pytest.fixture(scope="session")
def server(servers: Servers) -> Server:
    """The server of PGREHEARSE_TEST_MAJOR, else the default. None to be had is an error, not a skip."""
    major = os.environ.get("PGREHEARSE_TEST_MAJOR")
    return servers.get(int(major) if major else None)


@pytest.fixture(scope="session")
def repository() -> Project:
    """This repository."""
    return Project.at(ROOT)


@pytest.fixture(scope="session")
def rehearser(repository: Project, servers: Servers) -> Iterator[Rehearser]:
    """Makes databases with this repository's migrations and seed; ends with the servers of all tests."""
    with Rehearser(repository, servers, keep=False) as made:
        yield made


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The connection string of a fresh, empty database, dropped after the test."""
    name = f"test_{secrets.token_hex(4)}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    yield server.dsn(name)
    if server.alive():
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
