"""Databases that another tool migrates: what its ledger says is neither called pending nor applied again."""

from __future__ import annotations

import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.errors import SetupError
from pgrehearse.migration.runner import versions
from support.places import Place

TABLE = "CREATE TABLE thing (id int);"
GOOSE = """CREATE SCHEMA their; CREATE TABLE their.goose_db_version (id serial, version_id bigint, ok bool);
INSERT INTO their.goose_db_version (version_id) VALUES (0), (1)"""
FLYWAY = """CREATE TABLE flyway_schema_history (installed_rank int, version varchar(50), success bool);
INSERT INTO flyway_schema_history VALUES (1, '1', true), (2, NULL, true), (3, '1.1', true)"""
OTHERS = [
    (GOOSE, "their.goose_db_version says that goose applied 1 of these migrations"),
    (FLYWAY, "public.flyway_schema_history says that Flyway applied 1 of these migrations"),
    (
        "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('ae1')",
        "public.alembic_version says that Alembic migrates this database",
    ),
]


@pytest.mark.parametrize(("there", "said"), OTHERS)
def test_what_another_tool_applied_is_not_called_pending(place: Place, there: str, said: str) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.execute(there)
    for refused in (place.up, lambda: versions.read(place.dsn, place.migrations())):
        with pytest.raises(SetupError, match=said) as error:
            refused()
        assert "pgrehearse db lint" in error.value.next_step
    assert place.one("SELECT to_regclass('thing') IS NULL AND to_regnamespace('pgrehearse') IS NULL")


def test_another_tool_beside_a_ledger_that_is_kept_is_no_reason(place: Place) -> None:
    """Nor is a table without a row, or one whose version has a type of somebody's own."""
    place.write(1, TABLE, "DROP TABLE thing;")
    place.execute("CREATE TABLE goose_db_version (version_id bigint); CREATE DOMAIN own AS text")
    place.execute("CREATE TABLE alembic_version (version_num own); INSERT INTO alembic_version VALUES ('1')")
    place.up()
    place.execute("CREATE TABLE django_migrations (name text); INSERT INTO django_migrations VALUES ('1_a')")
    assert [one.state for one in versions.read(place.dsn, place.migrations())] == ["applied"]


def test_a_ledger_that_is_empty_and_kept_goes_beside_another_tool_of_other_versions(place: Place) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.execute("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)")
    place.execute("CREATE TABLE django_migrations (name text); INSERT INTO django_migrations VALUES ('7_a')")
    place.up()
    assert place.one("SELECT to_regclass('thing') IS NOT NULL")


def test_a_ledger_of_another_tool_that_may_not_be_read_is_named(place: Place) -> None:
    place.write(1, TABLE, "DROP TABLE thing;")
    place.execute("CREATE SCHEMA their; CREATE TABLE their.knex_migrations (name text)")
    role = f"r{place.one('SELECT oid FROM pg_database WHERE datname = current_database()')}"
    place.execute(f"CREATE ROLE {role} LOGIN")
    try:
        with pytest.raises(SetupError, match="Knex migrates this database"):
            versions.read(make_conninfo(place.dsn, user=role), place.migrations())
    finally:
        place.execute(f"DROP ROLE {role}")
