"""What of a database is the application's: one answer, and every query that asks gives it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pgrehearse import queries
from pgrehearse.measurement.rehearsals.obstacles import OBSTACLES, obstructed
from pgrehearse.measurement.statement import relations
from pgrehearse.measurement.statement.client import Client
from pgrehearse.measurement.traffic.requests import Requests, requests_for
from pgrehearse.migration.policy import comments, interface
from pgrehearse.migration.smoke import objects
from pgrehearse.schema import catalog, roles

#: Something of everybody: the application's, in two schemas, one with a name that needs quotes; an
#: extension's; the ledger's; dbmate's; a temporary table. All but the first two are larger.
MADE = """
CREATE SCHEMA "My Shop";
CREATE TABLE "My Shop".orders (id int PRIMARY KEY, note text);
INSERT INTO "My Shop".orders SELECT n, 'x' FROM generate_series(1, 3) AS n;
CREATE TABLE public.own (id int CONSTRAINT own_pkey PRIMARY KEY);
CREATE TYPE public.brought_type AS ENUM ('a');
CREATE FUNCTION public.brought_function() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE public.brought (id int PRIMARY KEY, note text);
CREATE SCHEMA pgrehearse;
CREATE TABLE pgrehearse.attempt (id int PRIMARY KEY, note text);
CREATE TABLE public.schema_migrations (version text PRIMARY KEY);
INSERT INTO public.brought SELECT n, repeat('x', 100) FROM generate_series(1, 1000) AS n;
INSERT INTO pgrehearse.attempt SELECT n, repeat('x', 100) FROM generate_series(1, 1000) AS n;
INSERT INTO public.schema_migrations SELECT repeat('x', 100) || n FROM generate_series(1, 1000) AS n;
ALTER EXTENSION plpgsql ADD TABLE public.brought;
ALTER EXTENSION plpgsql ADD TYPE public.brought_type;
ALTER EXTENSION plpgsql ADD FUNCTION public.brought_function();
CREATE TEMPORARY TABLE mine (id int PRIMARY KEY);
"""
#: A search path on which everything PostgreSQL has can be somebody else's.
HOSTILE = """
CREATE SCHEMA evil;
CREATE TABLE evil.pg_class (LIKE pg_catalog.pg_class);
CREATE TABLE evil.pg_namespace (LIKE pg_catalog.pg_namespace);
CREATE TABLE evil.pg_depend (LIKE pg_catalog.pg_depend);
CREATE TABLE evil.pg_roles (LIKE pg_catalog.pg_roles);
CREATE FUNCTION evil.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT ''forged''';
CREATE FUNCTION evil.quote_ident(name) RETURNS text LANGUAGE sql AS 'SELECT ''forged''';
CREATE DOMAIN evil.text AS int;
"""
PATH = "SET search_path = evil, pg_catalog"


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database, autocommit=True) as made:
        made.execute(MADE.encode())
        yield made


@pytest.fixture
def client(database: str, connection: psycopg.Connection[Any]) -> Iterator[Client]:
    with Client(database) as made:
        yield made


def relations_where(connection: psycopg.Connection[Any], condition: str) -> set[str]:
    query = f"""SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n
                    ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 't') AND {condition}"""
    return {row[0] for row in connection.execute(query.encode())}


def test_the_three_conditions(connection: psycopg.Connection[Any]) -> None:
    ours = {"My Shop.orders", "public.own"}
    assert relations_where(connection, queries.APPLICATION_TABLE) == ours
    in_schemas = ours | {"public.brought", "public.schema_migrations"}
    assert relations_where(connection, queries.APPLICATION_SCHEMA) == in_schemas
    assert relations_where(connection, queries.USER_SCHEMA) == in_schemas | {"pgrehearse.attempt"}


def test_the_interface_of_an_application_is_its_own(client: Client) -> None:
    """What an extension brought goes with the extension, which is one thing."""
    found = interface.read(client)
    assert {owner for kind, owner, _ in found if kind == "relation"} == {'"My Shop".orders', "own"}
    assert not {owner for _, owner, _ in found if owner.startswith("brought")}
    assert ("extension", "plpgsql", "") in found


def test_an_extension_that_goes_is_said_once(client: Client) -> None:
    before = interface.read(client)
    client.run("DROP EXTENSION plpgsql CASCADE")
    assert list(interface.differences(before, interface.read(client)).values()) == ["drops extension plpgsql"]


def test_nobody_has_to_comment_on_what_an_extension_brought(client: Client) -> None:
    assert {made.name for made in comments.read(client)} == {"orders_pkey", "own_pkey"}


def test_a_contract_covers_only_the_applications_tables(connection: psycopg.Connection[Any]) -> None:
    assert {one.table for one in objects.read(connection)} == {'"My Shop".orders', "own"}


def test_what_a_statement_locks_is_seen_whoever_made_it(client: Client) -> None:
    """Others wait for an extension's table as for any other; only temporary ones are nobody else's."""
    named = {one.name for one in relations.read(client).tables()}
    assert {"brought", "pgrehearse.attempt", '"My Shop".orders'} <= named
    assert not any("mine" in name for name in named)


def test_a_load_goes_to_the_largest_table_of_the_application(
    database: str, connection: psycopg.Connection[Any]
) -> None:
    """Whose schema has a name that needs quotes."""
    found = requests_for(database, {})
    assert isinstance(found, Requests)
    assert (found.table, found.rows) == ("orders", 3)


def test_obstacles_stand_on_a_table_whose_schema_needs_quotes(
    database: str, connection: psycopg.Connection[Any]
) -> None:
    reader = next(one for one in OBSTACLES if one.name == "a reader")
    with psycopg.connect(database) as other, obstructed(other, reader) as held:
        assert held
        locked = connection.execute(
            "SELECT relation::regclass::text FROM pg_locks WHERE pid = %s AND mode = 'AccessShareLock'",
            [other.info.backend_pid],
        )
        assert {'"My Shop".orders', "own"} <= {name for (name,) in locked}


def test_no_search_path_forges_what_is_found(database: str, connection: psycopg.Connection[Any]) -> None:
    connection.execute(HOSTILE.encode())

    def everything() -> list[Any]:
        with psycopg.connect(database, autocommit=True) as reader:
            if hostile:
                reader.execute(PATH.encode())
            schema = (catalog.extras(reader), catalog.versions(reader), roles.roles(reader, {"postgres"}))
            return [*schema, [(one.kind, one.definition) for one in objects.read(reader)]]

    hostile = False
    honest = everything()
    hostile = True
    forged = everything()
    assert [len(part) for part in forged] == [len(part) for part in honest]
    assert "forged" not in str(forged)
