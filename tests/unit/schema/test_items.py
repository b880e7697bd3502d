"""Statements of a dump as items: what is compared, what is not, and what is never shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo

from pgrehearse.schema.dump_text import split
from pgrehearse.schema.items import Item, items


def made(
    sql: str, type_: str = "TABLE", name: str = "t", schema: str = "public", more: str = ""
) -> list[Item]:
    header = f"--\n-- Name: {name}; Type: {type_}; Schema: {schema}; Owner: o{more}\n--\n\n"
    return list(items(split(f"{header}{sql};\n")))


# --- tables ---------------------------------------------------------------------------------------------


def test_a_table_is_its_head_its_columns_and_its_constraints() -> None:
    sql = (
        "CREATE TABLE public.t (\n    id integer NOT NULL,\n    \"a, (b\" text DEFAULT 'x, y)'::text,\n"
        "    CONSTRAINT t_check CHECK ((id > 0))\n)\nWITH (fillfactor='70', autovacuum_enabled='off')"
    )
    assert made(sql) == [
        Item(
            "table public.t",
            "table",
            "CREATE TABLE public.t () WITH (autovacuum_enabled='off', fillfactor='70')",
        ),
        Item("table public.t", "column id", "ALTER TABLE public.t ADD COLUMN id integer NOT NULL"),
        Item(
            "table public.t",
            'column "a, (b"',
            "ALTER TABLE public.t ADD COLUMN \"a, (b\" text DEFAULT 'x, y)'::text",
        ),
        Item(
            "table public.t",
            "constraint t_check",
            "ALTER TABLE public.t ADD CONSTRAINT t_check CHECK ((id > 0))",
        ),
    ]


def test_the_order_of_columns_is_no_difference() -> None:
    one = made("CREATE TABLE public.t (\n    a integer,\n    b text\n)")
    two = made("CREATE TABLE public.t (\n    b text,\n    a integer\n)")
    assert sorted(one) == sorted(two)


@pytest.mark.parametrize("name", ["t_a_not_null", '"T_a_not_null"', "t_a_not_null1"])
def test_the_name_postgresql_gives_to_not_null_is_no_difference(name: str) -> None:
    plain = made("CREATE TABLE public.t (\n    a integer NOT NULL\n)")
    assert made(f"CREATE TABLE public.t (\n    a integer CONSTRAINT {name} NOT NULL\n)") == plain
    other = made("CREATE TABLE public.t (\n    a integer CONSTRAINT must NOT NULL\n)")
    assert other != plain


def test_not_null_of_two_columns_is_two_things() -> None:
    """PostgreSQL 18 writes those of inherited columns below the columns."""
    sql = (
        "CREATE TABLE public.c (\n    CONSTRAINT c_a_not_null NOT NULL a,\n"
        "    CONSTRAINT c_b_not_null NOT NULL b\n)\nINHERITS (public.p)"
    )
    assert [item.subject for item in made(sql)[1:]] == ["not null a", "not null b"]


@pytest.mark.parametrize("head", ["CREATE UNLOGGED TABLE public.t", "CREATE FOREIGN TABLE public.t"])
def test_other_kinds_of_tables(head: str) -> None:
    first, column = made(f"{head} (\n    a integer\n)")
    assert (first.object, first.sql) == ("table public.t", f"{head} ()")
    assert column.subject == "column a"


def test_a_table_without_columns() -> None:
    assert [item.subject for item in made("CREATE TABLE public.t (\n)")] == ["table"]


def test_access_method_and_tablespace_are_items() -> None:
    dump = (
        "SET default_table_access_method = columnar;\n"
        "--\n-- Name: A b; Type: TABLE; Schema: public; Owner: o; Tablespace: fast\n--\n"
        'CREATE TABLE public."A b" (\n    a integer\n);\n'
    )
    found = list(items(split(dump)))
    assert [item.subject for item in found] == ["table", "column a", "access method", "tablespace"]
    assert [item.sql for item in found[2:]] == [
        'ALTER TABLE public."A b" SET ACCESS METHOD columnar',
        'ALTER TABLE public."A b" SET TABLESPACE fast',
    ]


@pytest.mark.parametrize("table", ["t", '"A b"'])
def test_the_tablespace_of_an_index_below_a_constraint(table: str) -> None:
    bare = table.strip('"')
    sql = f'ALTER TABLE ONLY public.{table}\n    ADD CONSTRAINT "the key" PRIMARY KEY (a)'
    _, place = made(sql, "CONSTRAINT", f"{bare} the key", more="; Tablespace: fast")
    assert place == Item(
        'index public."the key"', "tablespace", 'ALTER INDEX public."the key" SET TABLESPACE fast'
    )


# --- what is left out -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "type_"),
    [
        ("SET statement_timeout = 0", ""),
        ("SELECT pg_catalog.set_config('search_path', '', false)", ""),
        ("CREATE DATABASE shop WITH TEMPLATE = template0", "DATABASE"),
        ("ALTER DATABASE shop SET \"pgrehearse.environment\" TO 'production'", "DATABASE PROPERTIES"),
        ("CREATE TABLE pgrehearse.attempt (\n    a integer\n)", "TABLE"),
        ("CREATE TABLE public.schema_migrations (\n    a integer\n)", "TABLE"),
        ("CREATE VIEW public.v AS\nSELECT\n    NULL::integer AS a", "VIEW"),
    ],
)
def test_left_out(sql: str, type_: str) -> None:
    assert made(sql, type_) == []


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE public.schema_migrations_of_mine (\n    a integer\n)",
        "CREATE TABLE public.t (\n    pgrehearse integer DEFAULT 1\n)",
        "CREATE TABLE app.schema_migrations (\n    a integer\n)",
    ],
)
def test_what_only_resembles_our_own_stays(sql: str) -> None:
    assert len(made(sql)) == 2


def test_the_database_has_no_name_of_its_own() -> None:
    (item,) = made("ALTER DATABASE \"it's ; mine\" SET work_mem TO '8MB'", "DATABASE PROPERTIES", "x", "-")
    assert item == Item("database", "setting work_mem", "ALTER DATABASE :\"DBNAME\" SET work_mem TO '8MB'")


def test_who_grants_is_part_of_a_grant() -> None:
    dump = (
        "SET SESSION AUTHORIZATION boss;\n"
        "--\n-- Name: TABLE t; Type: ACL; Schema: public; Owner: o\n--\n"
        "GRANT SELECT ON TABLE public.t TO reader;\nRESET SESSION AUTHORIZATION;\n"
        "GRANT INSERT ON TABLE public.t TO reader;\n"
    )
    first, second = items(split(dump))
    assert first.sql == "SET SESSION AUTHORIZATION boss; GRANT SELECT ON TABLE public.t TO reader"
    assert second.sql == "GRANT INSERT ON TABLE public.t TO reader"


# --- secrets ----------------------------------------------------------------------------------------------

#: No part of any of these may be seen.
SECRETS = ["s3cret", "s3 cret", "s3'cret", "s3''cret", "s3\\cret", "' s3cret '", "s3=cret", "s3@cr:et"]


def subscription(conninfo: str) -> str:
    literal = conninfo.replace("'", "''")
    (item,) = made(f"CREATE SUBSCRIPTION s CONNECTION '{literal}' PUBLICATION p", "SUBSCRIPTION", "s", "-")
    return item.sql


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("word", ["password", "sslpassword"])
def test_a_password_of_a_subscription_is_hidden(word: str, secret: str) -> None:
    found = subscription(make_conninfo(host="other", user="u", **{word: secret}))
    assert "s3" not in found and "cret" not in found
    assert "hidden" in found
    assert "host=other" in found and "user=u" in found and found.endswith("PUBLICATION p")


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://u:s3cret@other/db",
        "postgres://u:s3%20cret@other:5432/db?sslmode=require",
        "postgresql://other/db?user=u&password=s3cret&sslmode=require",
    ],
)
def test_a_password_of_a_uri_is_hidden(uri: str) -> None:
    found = subscription(uri)
    assert "s3" not in found
    assert "hidden" in found and "other" in found


@pytest.mark.parametrize("secret", SECRETS)
def test_a_password_of_a_user_mapping_is_hidden(secret: str) -> None:
    literal = secret.replace("'", "''")
    sql = f"CREATE USER MAPPING FOR u SERVER s OPTIONS (\n    \"user\" 'me',\n    password '{literal}'\n)"
    (item,) = made(sql, "USER MAPPING", "USER MAPPING u SERVER s", "-")
    assert "s3" not in item.sql and "'me'" in item.sql and "hidden" in item.sql


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1))
def test_equal_passwords_look_equal_and_others_do_not(secret: str) -> None:
    one, again, other = (
        subscription(make_conninfo(host="h", password=word)) for word in (secret, secret, secret + "x")
    )
    assert one == again != other


def test_without_a_password_nothing_is_hidden() -> None:
    assert (
        subscription("host=other user=u")
        == "CREATE SUBSCRIPTION s CONNECTION 'host=other user=u' PUBLICATION p"
    )
