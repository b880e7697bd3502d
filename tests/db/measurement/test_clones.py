"""Clones of a prepared database: which may be used again, and that none is left."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pgrehearse.measurement.statement import transactional
from pgrehearse.measurement.statement.client import Client, Clones
from pgrehearse.servers import Server


@pytest.fixture
def prepared(database: str) -> str:
    """Name of a database with one table."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE items (id int PRIMARY KEY)")
    return str(conninfo_to_dict(database)["dbname"])


def _names(server: Server) -> set[str]:
    with psycopg.connect(server.dsn()) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_a_clean_clone_is_used_again_and_another_is_dropped(server: Server, prepared: str) -> None:
    before = _names(server)
    with Clones(server, prepared) as clones:
        with clones.clone() as first:
            first.clean = True
        with clones.clone() as again:
            assert again.dsn == first.dsn
        assert _names(server) == before
        with clones.clone() as another:
            assert another.dsn != first.dsn


def test_a_clone_that_was_connected_to_is_not_unread(server: Server, prepared: str) -> None:
    with Clones(server, prepared) as clones:
        with clones.clone() as first:
            first.clean = True
        with clones.clone(unread=True) as other:
            assert other.dsn != first.dsn
        before = _names(server)
        with clones.clone() as again:
            assert (again.dsn, _names(server)) == (first.dsn, before)
    assert conninfo_to_dict(first.dsn)["dbname"] not in _names(server)


@pytest.mark.parametrize(
    ("statement", "reused"),
    [
        ("VACUUM items", True),  # refused before it does anything
        ("DO $$BEGIN INSERT INTO items VALUES (1); INSERT INTO items VALUES (1); END$$", False),
        ("DO $$BEGIN PERFORM nextval('s'); RAISE 'no'; END$$", False),
    ],
)
def test_what_failed_after_it_had_written_leaves_no_clean_clone(
    server: Server, database: str, prepared: str, statement: str, reused: bool
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE s")
    with Clones(server, prepared) as clones:
        assert isinstance(transactional.observe(clones, statement), transactional.StatementRefused)
        assert bool(clones._clean) is reused


def test_a_database_somebody_uses_is_dropped(server: Server, prepared: str) -> None:
    with Clones(server, prepared) as clones:
        name = clones.create()
        with Client(server.dsn(name)) as client:
            clones.drop(name)
            assert client.run("SELECT 1")
    assert name not in _names(server)
