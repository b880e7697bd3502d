"""Marks on real servers: who may write which form, what stays, what goes along, what cannot forge one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.environments import marks
from pgrehearse.environments.marks import Mark
from pgrehearse.environments.target import open_target
from pgrehearse.errors import SetupError
from pgrehearse.servers import libpq_environment
from pgrehearse.servers.binaries import client
from pgrehearse.servers.url import UrlServer
from support import databases
from support.databases import Owned, execute


def read(dsn: str) -> Mark:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return marks.read(connection)


def write(dsn: str, environment: str) -> Mark:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return marks.write(connection, environment)


def comment_on(owned: Owned, text: str) -> None:
    execute(owned.admin, marks.comment_statement(owned.name, None, text))


# --- who may write which form ---------------------------------------------------------------------------


def test_an_owner_without_superuser_marks_by_the_comment(owned: Owned) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        databases.mark(owned.dsn, "staging")
    assert read(owned.dsn) == Mark(owned.name, None, "")
    assert write(owned.dsn, "staging") == Mark(owned.name, None, "[pgrehearse.environment=staging]")
    assert open_target(owned.dsn).environment == "staging"


def test_a_superuser_marks_by_the_setting(owned: Owned) -> None:
    assert write(owned.admin, "staging") == Mark(owned.name, "staging", "")


def test_a_role_that_was_granted_the_parameter_marks_by_the_setting(owned: Owned) -> None:
    execute(owned.admin, f"GRANT SET ON PARAMETER pgrehearse.environment TO {owned.owner}")
    assert write(owned.dsn, "staging") == Mark(owned.name, "staging", "")


@pytest.mark.parametrize("text", ["Orders and wishes.", 'it\'s \\ "here"', "two\nlines ", "Größe"])
def test_the_text_of_the_comment_stays(owned: Owned, text: str) -> None:
    comment_on(owned, text)
    assert write(owned.dsn, "staging").comment == f"{text} [pgrehearse.environment=staging]"
    assert write(owned.dsn, "production").comment == f"{text} [pgrehearse.environment=production]"
    assert write(owned.admin, "test") == Mark(owned.name, "test", text), "one form is enough"


def test_a_comment_that_was_only_a_mark_goes(owned: Owned) -> None:
    write(owned.dsn, "staging")
    write(owned.admin, "staging")
    assert execute(owned.admin, "SELECT FROM pg_shdescription AS d JOIN pg_database AS b ON b.oid = d.objoid"
                   " WHERE b.datname = current_database()") == []  # fmt: skip


def test_an_owner_cannot_outvote_a_superuser(owned: Owned) -> None:
    write(owned.admin, "production")
    with pytest.raises(SetupError, match="is 'production' by its setting, which owner_") as caught:
        write(owned.dsn, "staging")
    assert read(owned.dsn) == Mark(owned.name, "production", "")
    advised = str(caught.value.next_step).split("as a superuser: ")[1].split("; or ")
    execute(owned.admin, advised[0])
    assert write(owned.dsn, "staging").setting == "staging"
    execute(owned.admin, advised[1])
    assert read(owned.dsn).environment() is None


def test_an_owner_says_again_what_a_superuser_said(owned: Owned) -> None:
    write(owned.admin, "production")
    comment_on(owned, "Orders. [pgrehearse.environment=staging]")
    assert write(owned.dsn, "production") == Mark(owned.name, "production", "Orders.")


def test_a_stranger_marks_nothing(owned: Owned) -> None:
    stranger = f"{owned.owner}_stranger"
    execute(owned.admin, f"CREATE ROLE {stranger} LOGIN")
    try:
        with pytest.raises(SetupError, match="cannot be marked: must be owner of database") as caught:
            write(make_conninfo(owned.dsn, user=stranger), "test")
        assert "as its owner: pgrehearse environment set test" in str(caught.value.next_step)
        write(owned.dsn, "staging")
        assert open_target(make_conninfo(owned.dsn, user=stranger)).environment == "staging", (
            "all can read it"
        )
    finally:
        execute(owned.admin, f"DROP ROLE {stranger}")


# --- forms that differ ------------------------------------------------------------------------------------


def test_forms_that_differ_are_refused_with_both_values(owned: Owned) -> None:
    write(owned.dsn, "staging")
    databases.mark(owned.admin, "production")
    for dsn in (owned.dsn, owned.admin):
        with pytest.raises(SetupError, match="'production' by its setting and 'staging' by its comment"):
            open_target(dsn)
    with pytest.raises(SetupError, match="'production' by its setting and 'staging' by its comment"):
        UrlServer(owned.admin)
    write(owned.admin, "production")
    assert open_target(owned.dsn).environment == "production"


def test_two_marks_in_one_comment_are_refused_and_mended(owned: Owned) -> None:
    comment_on(owned, "Was [pgrehearse.environment=staging], is [pgrehearse.environment=test]")
    with pytest.raises(SetupError, match="more than once, or not at its end"):
        open_target(owned.dsn)
    assert write(owned.dsn, "production").comment == "Was, is [pgrehearse.environment=production]"


# --- what is read, and how --------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP", "SQL_ASCII"])
def test_a_comment_of_another_encoding_hides_no_mark(owned: Owned, encoding: str) -> None:
    """The comment lies in a catalog that databases of all encodings share."""
    other = f"{owned.owner}_{encoding.lower()}"
    execute(owned.admin, f"CREATE DATABASE {other} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    try:
        latin = "Caf\udce9"  # the byte LATIN1 has for é, which is no UTF-8
        with psycopg.connect(owned.server.dsn(f"{other}"), autocommit=True) as connection:
            if encoding == "LATIN1":
                for name in (owned.name, other):
                    text = marks.comment_statement(name, "staging", latin)
                    message = f"SET LOCAL client_encoding = 'SQL_ASCII'; {text}"
                    connection.execute(message.encode("utf-8", "surrogateescape"))
            else:
                marks.write(connection, "staging")
        target = open_target(owned.server.dsn(other))
        assert (target.environment, target.database, target.user) == ("staging", other, "postgres")
        assert "client_encoding=UTF8" in target.conninfo, "cells read text, whatever the database is in"
        if encoding == "LATIN1":
            assert open_target(owned.dsn).environment == "staging"
            with pytest.raises(SetupError, match="cannot be marked: invalid byte sequence"):
                write(owned.dsn, "production")
            assert write(owned.server.dsn(other), "test").text == latin
    finally:
        execute(owned.admin, f"DROP DATABASE {other}")


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_a_plain_dump_does_not_take_the_mark_along(owned: Owned, role: str) -> None:
    """What the handbook says of pg_dump, of both forms."""
    write(owned.dsn if role == "owner" else owned.admin, "production")
    environment = libpq_environment(owned.server.env(owned.name))

    def dumped(*flags: str) -> str:
        command = [client("pg_dump", owned.server.major), "--schema-only", *flags]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    assert "pgrehearse" not in dumped()
    statements = {
        "owner": f"COMMENT ON DATABASE \"{owned.name}\" IS '[pgrehearse.environment=production]';",
        "superuser": f'ALTER DATABASE "{owned.name}" SET "pgrehearse.environment" TO \'production\';',
    }
    assert statements[role] in dumped("--create")


# --- attacks ----------------------------------------------------------------------------------------------

#: Each makes an honest but unqualified question say "test". They are run by the database's owner; who wants
#: to be believed is the same role, the superuser or a URL.
EVIL = """
CREATE SCHEMA evil;
CREATE FUNCTION evil."position"(text, text) RETURNS int LANGUAGE sql RETURN 1;
CREATE FUNCTION evil."substring"(text, int) RETURNS text LANGUAGE sql RETURN 'test';
CREATE FUNCTION evil.starts_with(text, text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE FUNCTION evil.split_part(text, text, int) RETURNS text LANGUAGE sql RETURN 'test';
CREATE FUNCTION evil.textsend(text) RETURNS bytea LANGUAGE sql RETURN '\\x74657374'::bytea;
CREATE FUNCTION evil.unnest(text[]) RETURNS SETOF text LANGUAGE sql AS
    $$ SELECT 'pgrehearse.environment=test'::text $$;
CREATE FUNCTION evil.current_database() RETURNS name LANGUAGE sql RETURN 'template1'::name;
CREATE FUNCTION evil.has_parameter_privilege(text, text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE FUNCTION evil.shobj_description(oid, name) RETURNS text LANGUAGE sql
    RETURN '[pgrehearse.environment=test]';
CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql RETURN '180000';
CREATE FUNCTION evil.pg_is_in_recovery() RETURNS boolean LANGUAGE sql RETURN false;
CREATE FUNCTION evil.same(name, name) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.same);
CREATE FUNCTION evil.same(oid, oid) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.same);
CREATE FUNCTION evil.same(oid, int) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = int, FUNCTION = evil.same);
CREATE FUNCTION evil.same(text, text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.same);
CREATE OPERATOR evil.~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.same);
CREATE FUNCTION evil.plus(int, int) RETURNS int LANGUAGE sql RETURN 1;
CREATE OPERATOR evil.+ (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.plus);
CREATE DOMAIN evil.text AS pg_catalog.text;
CREATE DOMAIN evil.regclass AS pg_catalog.oid;
CREATE VIEW evil.pg_database AS SELECT 1::oid AS oid, pg_catalog.current_database() AS datname;
CREATE VIEW evil.pg_db_role_setting AS SELECT 1::oid AS setdatabase, 0::oid AS setrole,
    '{pgrehearse.environment=test}'::pg_catalog.text[] AS setconfig;
CREATE VIEW evil.pg_shdescription AS SELECT 1::oid AS objoid, 1262::oid AS classoid,
    '[pgrehearse.environment=test]'::pg_catalog.text AS description;
CREATE VIEW evil.pg_roles AS SELECT current_user AS rolname, true AS rolsuper, true AS rolcreatedb;
"""
#: How a mark could be read by somebody who does not qualify names.
_NAIVE = """
SELECT (SELECT substring(setting, position('=' IN setting) + 1)
          FROM pg_db_role_setting AS s, unnest(s.setconfig) AS setting
         WHERE s.setdatabase = d.oid AND s.setrole = 0 AND setting LIKE 'pgrehearse.environment=%'),
       shobj_description(d.oid, 'pg_database')
  FROM pg_database AS d WHERE d.datname = current_database()
"""
_PATH = "evil, pg_catalog, public"
FORGED = [("test", "[pgrehearse.environment=test]")]


@pytest.fixture(params=["setting", "comment"])
def hostile(owned: Owned, request: pytest.FixtureRequest) -> Owned:
    """A production database, marked in either form, whose owner prepared a schema."""
    write(owned.admin if request.param == "setting" else owned.dsn, "production")
    with psycopg.connect(owned.dsn, autocommit=True) as connection:
        connection.execute(EVIL.encode())
        connection.execute(b"GRANT USAGE ON SCHEMA evil TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA evil"
                           b" TO PUBLIC")  # fmt: skip
    return owned


@pytest.fixture(params=["PGOPTIONS", "role", "role in database", "database", "options of the DSN"])
def attacked(
    hostile: Owned, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Owned, str]]:
    """The database, and a connection string whose sessions have the hostile search_path."""
    name, settings = hostile.name, {"search_path": _PATH, "pgrehearse.environment": "test"}
    roles = (hostile.owner, "postgres")
    options = f"-c search_path={_PATH.replace(' ', '')} -c pgrehearse.environment=test"
    dsn = hostile.dsn
    if request.param == "PGOPTIONS":
        monkeypatch.setenv("PGOPTIONS", options)
    elif request.param == "options of the DSN":
        dsn = make_conninfo(dsn, options=options)
    elif request.param == "database":
        execute(hostile.dsn, f'ALTER DATABASE "{name}" SET search_path = {_PATH}')
    else:
        where = f'IN DATABASE "{name}" ' if request.param == "role in database" else ""
        for role in roles if where else roles[:1]:
            for key, value in settings.items():
                execute(hostile.admin, f"ALTER ROLE {role} {where}SET {key} = {value}")
    yield hostile, dsn


def test_no_session_can_forge_a_mark(attacked: tuple[Owned, str]) -> None:
    hostile, dsn = attacked
    assert execute(dsn, _NAIVE) == FORGED, "the attack is one"
    assert execute(dsn, "SHOW search_path") in ([(_PATH,)], [(_PATH.replace(" ", ""),)])
    assert read(dsn).environment() == "production"
    target = open_target(dsn)
    assert (target.environment, target.database, target.major) == (
        "production",
        hostile.name,
        hostile.server.major,
    )
    for url in (dsn, hostile.admin):
        with pytest.raises(SetupError, match="is marked 'production'"):
            UrlServer(url)


def test_a_hostile_schema_does_not_change_what_is_written(attacked: tuple[Owned, str]) -> None:
    hostile, dsn = attacked
    by_setting = read(dsn).setting is not None
    if by_setting:
        with pytest.raises(SetupError, match="may not change"):
            write(dsn, "staging")
    else:
        assert write(dsn, "staging") == Mark(hostile.name, None, "[pgrehearse.environment=staging]")
    assert read(hostile.admin).environment() == ("production" if by_setting else "staging")


@pytest.mark.parametrize("table", ["pg_db_role_setting", "pg_shdescription", "pg_database"])
def test_a_temporary_table_is_no_catalog(hostile: Owned, table: str) -> None:
    """A pooler may hand over a session in which somebody else left one: it hides the catalog of that name."""
    with psycopg.connect(hostile.dsn, autocommit=True) as connection:
        connection.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM evil.{table}".encode())
        found = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert found == (1,), "it hides the catalog"
        assert marks.read(connection).environment() == "production"


def test_a_url_server_does_not_believe_a_forged_right(attacked: tuple[Owned, str]) -> None:
    hostile, dsn = attacked
    if read(dsn).setting is None:
        write(dsn, "test")
        with pytest.raises(SetupError, match="may not create databases"):
            UrlServer(dsn)
        assert UrlServer(hostile.admin).major == hostile.server.major
