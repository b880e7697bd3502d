"""Passwords do not leave a statement, and what is no password stays."""

from __future__ import annotations

import time

import pytest

from pgrehearse.text.passwords import connection_strings, marked, redacted, sealed
from pgrehearse.text.split import scanned


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("CREATE ROLE r PASSWORD 'secret'", "CREATE ROLE r PASSWORD '***'"),
        (
            "ALTER USER r\nWITH ENCRYPTED password /* x */ 'a''b'",
            "ALTER USER r\nWITH ENCRYPTED password /* x */ '***'",
        ),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=x' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION '***' PUBLICATION p",
        ),
        ("SELECT dblink_connect('postgres://u:pw@h/d')", "SELECT dblink_connect('***')"),
        (
            "DO $$ BEGIN CREATE ROLE r PASSWORD 'secret'; END $$",
            "DO $$ BEGIN CREATE ROLE r PASSWORD '***'; END $$",
        ),
        ("SELECT 'password' AS label, 'postgres://h/d'", "SELECT 'password' AS label, 'postgres://h/d'"),
        ("CREATE ROLE r PASSWORD NULL", "CREATE ROLE r PASSWORD NULL"),
        ("CREATE ROLE r PASSWORD N'secret'", "CREATE ROLE r PASSWORD N'***'"),
        ("SET app.db_password TO secret", "SET app.db_password TO ***"),
        ('SET LOCAL app.token = "secret"', "SET LOCAL app.token = ***"),
        ("ALTER ROLE r SET app.api_key = 12ab; SELECT 1", "ALTER ROLE r SET app.api_key = ***; SELECT 1"),
        ("SET app.token TO DEFAULT", "SET app.token TO DEFAULT"),
        ("UPDATE t SET password = other", "UPDATE t SET password = other"),
        ("ALTER TABLE t RENAME token TO access_token", "ALTER TABLE t RENAME token TO access_token"),
    ],
)
def test_redacted(sql: str, shown: str) -> None:
    assert redacted(sql) == shown


def test_in_a_message_about_the_statement() -> None:
    sql = "CREATE ROLE r PASSWORD 'secret'"
    assert redacted(sql, "syntax error near secret") == "syntax error near ***"


SECRET = "hunter2x"  # noqa: S105


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE ROLE r PASSWORD $$hunter2x$$",
        "CREATE ROLE r PASSWORD $t$hunter2x$t$ VALID UNTIL 'infinity'",
        "ALTER ROLE r PASSWORD U&'hunter2x'",
        "ALTER ROLE r ENCRYPTED PASSWORD /* PASSWORD */ E'hunter2x'",
        "ALTER ROLE r PASSWORD 'hun'\n  'hunter2x'",
        "ALTER USER r\tPASSWORD\n-- x\n'hunter2x'",
        "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password 'hunter2x')",
        'CREATE USER MAPPING FOR u SERVER s OPTIONS ("password" $$hunter2x$$)',
        "ALTER USER MAPPING FOR u SERVER s OPTIONS (SET sslpassword 'hunter2x')",
        "CREATE SUBSCRIPTION s CONNECTION $$host=h password=hunter2x$$ PUBLICATION p",
        "CREATE SUBSCRIPTION s CONNECTION 'host=h sslpassword = hunter2x' PUBLICATION p",
        "ALTER SYSTEM SET primary_conninfo = 'host=h password=hunter2x'",
        "SELECT dblink_connect('postgres://u:hun@hunter2x@h/d')",
        "SELECT dblink_connect('postgres://u:a/hunter2x@h/d')",
        "SELECT dblink_connect('postgres://h/d?p%61ssword=hunter2x')",
        "SELECT dblink_connect('host=h password=' || 'hunter2x')",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE r PASSWORD ''hunter2x'''; END $$",
        "DO $a$ BEGIN EXECUTE $$ALTER ROLE r PASSWORD 'hunter2x'$$; END $a$",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', 'r', 'hunter2x'); END $$",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE r PASSWORD ' || quote_literal('hunter2x'); END $$",
        "SET app.password TO 'hunter2x'",
        "SELECT set_config('app.password', 'hunter2x', false)",
        "SELECT crypt('hunter2x', gen_salt('bf'))",
        "SELECT ext.crypt /* x */ (lower('hunter2x'), 'a')",
        "SELECT * FROM users WHERE hash = crypt($$hunter2x$$, hash)",
        "SELECT pgp_sym_encrypt(note, 'hunter2x', 'cipher-algo=aes256') FROM t",
        "SELECT pgp_sym_encrypt('hunter2x', key) FROM t",
        "SELECT PGP_SYM_DECRYPT(note::bytea, 'hunter2x')",
        "SELECT \"pgp_pub_decrypt\"(f(a, b), dearmor('x'), E'hunter2x')",
        "SELECT encode(hmac('a', 'hunter2x', 'sha256'), 'hex')",
        "SELECT dblink_connect('c', 'host=h dbname=d password=hunter2x')",
        "INSERT INTO users (name, password) VALUES ('a', 'b'), ('c', 'hunter2x')",
        "INSERT INTO users AS u (\"Secret\", name) VALUES (coalesce(NULL, 'hunter2x'), 'a')",
        "INSERT INTO users (tags, api_token) VALUES (ARRAY['a', 'b'], 'hunter2x')",
        "INSERT INTO users (name, token) SELECT f('a', 'b'), 'hunter2x' FROM t",
        "INSERT INTO users (name, token) (SELECT 'a', ('hunter2x'))",
        "WITH x AS (INSERT INTO u (a, password) VALUES ('b', U&'hunter2x') RETURNING a) SELECT * FROM x",
        "INSERT INTO u (a) VALUES ('b') ON CONFLICT (a) DO UPDATE SET a = 'c', password = 'd' || 'hunter2x'",
        "UPDATE users SET password = upper('hunter2x') WHERE name = 'a'",
        "UPDATE users SET (name, password) = ('a', 'hunter2x')",
        "UPDATE users SET a = 1, (b, token) = (SELECT 'x', 'hunter2x')",
        "UPDATE users SET password = CASE WHEN a = 'b' THEN 'c' ELSE 'hunter2x' END WHERE a = 'b'",
        "MERGE INTO u USING v ON u.a = v.a WHEN NOT MATCHED THEN INSERT (a, secret) VALUES (v.a, 'hunter2x')",
        "DO $$ BEGIN EXECUTE 'SELECT crypt(''hunter2x'', gen_salt(''bf''))'; END $$",
        "DO $$ BEGIN EXECUTE 'INSERT INTO u (a, password) VALUES (1, ''hunter2x'')'; END $$",
        "DO $$ BEGIN EXECUTE 'INSERT INTO u (password) VALUES (' || quote_literal('hunter2x') || ')'; END $$",
        "DO $$ BEGIN EXECUTE format('SELECT crypt(%L, a)', 'hunter2x'); END $$",
        "SELECT crypt('hunter2x",  # cut off
        "INSERT INTO u (a, password) VALUES ('b', 'hunter2x",
        "ALTER ROLE r PASSWORD 'hunter2x",
        "DO $$ BEGIN ALTER ROLE r PASSWORD 'hunter2x'; END",
    ],
)
def test_however_it_is_quoted(sql: str) -> None:
    assert SECRET not in redacted(sql)
    assert SECRET not in redacted(sql, f'ERROR:  syntax error at or near "{SECRET}"\nLINE 1: {sql}')


@pytest.mark.parametrize(
    ("sql", "means"),
    [
        (r"ALTER ROLE r PASSWORD U&'\0068unter2x'", SECRET),
        (r"ALTER ROLE r PASSWORD E'\x68unter2x'", SECRET),
        ("ALTER ROLE r PASSWORD 'hun''ter2x'", "hun'ter2x"),
    ],
)
def test_a_message_may_say_what_it_means(sql: str, means: str) -> None:
    assert redacted(sql, f"near {means}") == "near ***"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (password text, note text DEFAULT 'a')",
        "COMMENT ON COLUMN t.password IS 'how it is stored'",
        "SELECT \"password\" FROM t WHERE a = 'b'",
        "CREATE SERVER s OPTIONS (host 'h', passfile '/x')",
        "SELECT 'https://example.com/a'",
        "SELECT 'it''s",
        "SELECT digest(note || 'a', 'sha256'), gen_salt('bf'), pgp_sym_decrypt(a, b, 'debug=1'), 'c'",
        "CREATE EXTENSION pgcrypto; COMMENT ON FUNCTION crypt(text, text) IS 'as in crypt(password, salt)'",
        "INSERT INTO t (name, password) VALUES ('a', NULL), ('b', f(1)) ON CONFLICT (name) DO NOTHING",
        "INSERT INTO users (password, name) SELECT p.password, 'a' FROM p WHERE p.kind = 'b'",
        "UPDATE t SET password = NULL, note = 'a' WHERE name = lower('b') RETURNING 'c'",
        "UPDATE t SET (password, name) = (p, 'a'), note = ('b')",
        "INSERT INTO password_rules (name, least) VALUES ('length', '12')",
        "SELECT CASE WHEN password = other THEN 'same' ELSE 'other' END, 'a' FROM t",
        "SELECT 'insert into the box, the token too' AS a, 'it is said' AS b",
    ],
)
def test_what_is_none_stays(sql: str) -> None:
    assert redacted(sql) == sql


def test_a_long_literal_takes_no_long_time() -> None:
    sql = f"INSERT INTO t (password, data) VALUES ('x', '{'w' * 500_000}')"
    assert redacted(sql) == sql.replace("'x'", "'***'")


def test_time_grows_with_the_text() -> None:
    """Many rows with a password each, and SQL that is quoted within SQL."""
    row = "('a', crypt('{0}-and-more', gen_salt('bf')), '{0}')"
    rows = ", ".join(row.format(number) for number in range(3_000))
    quoted = "crypt('x', " * 1_000
    for _ in range(6):
        quoted = "insert into t (password) values ('" + quoted.replace("'", "''") + "')"
    started = time.process_time()
    sql = f"INSERT INTO t (a, password, b) VALUES {rows}"
    assert "-and-more" not in redacted(sql)
    assert redacted(sql, "near 77-and-more, 77") == "near ***, 77"
    redacted(f"SELECT '{quoted}'")
    redacted(f"SELECT '{quoted}")
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "literal",
    ["://" * 30_000, '"http://x:80/1",' * 30_000, "x://a:" * 30_000, f"password={' ' * 60_000}x"],
    ids=["marks", "ports", "users", "blanks"],
)
def test_no_literal_is_looked_through_again_and_again(literal: str) -> None:
    started = time.process_time()
    redacted(f"INSERT INTO t VALUES ('{literal}');")
    connection_strings(literal)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "text",
    [
        "Got unexpected extra argument (postgresql://u:hunter2x@h/d)",
        "postgresql://u:a@hunter2x@h/d",
        "postgresql://h/d?sslpassword=hunter2x&x=y",
        "host=h password='hunter2x y' user=u",
    ],
)
def test_connection_strings_in_messages(text: str) -> None:
    assert SECRET not in connection_strings(text)


@pytest.mark.parametrize(
    "sql",
    [
        r"CREATE USER MAPPING FOR u SERVER s OPTIONS (password E'a\\hunter2x')",
        "CREATE SUBSCRIPTION s CONNECTION 'postgres://u:a@hunter2x@h/d' PUBLICATION p",
    ],
)
def test_definitions_are_compared_without(sql: str) -> None:
    assert SECRET not in marked(sql)
    assert marked(sql) == marked(sql) != marked(sql.replace(SECRET, "other"))


def test_a_value_of_a_parameter_is_sealed_where_it_is_a_password() -> None:
    sql = ["ALTER ROLE r PASSWORD 'hunter2x'"]
    by_use, by_name = sealed("label", SECRET, sql, "here"), sealed("db_password", SECRET, [], "here")
    assert SECRET not in by_use + by_name
    assert by_use == sealed("label", SECRET, sql, "here") != sealed("label", SECRET, sql, "elsewhere")
    assert by_use != sealed("label", "other2xx", ["ALTER ROLE r PASSWORD 'other2xx'"], "here")
    assert sealed("label", "blue", sql, "here") == "blue"


def test_what_a_function_says_of_itself() -> None:
    said = "ERROR:  boom\nCONTEXT:  SQL statement \"ALTER ROLE r PASSWORD 'hunter2x'\"\nPL/pgSQL function f()"
    assert SECRET not in redacted("SELECT f()", said)
    assert redacted("SELECT f()", "boom") == "boom"


def test_a_short_password_is_no_part_of_other_words() -> None:
    sql = "ALTER ROLE r PASSWORD 'x'"
    assert redacted(sql, 'no example at or near "x": x') == 'no example at or near "***": ***'


def test_one_password_among_many_statements_is_found_without_reading_all_of_them_by_tokens() -> None:
    many = "CREATE TABLE t (id bigint PRIMARY KEY, name text);\nINSERT INTO t VALUES (1, 'a');\n" * 4000
    began = time.process_time()
    for _ in scanned(many):
        pass
    reading = time.process_time() - began
    began = time.process_time()
    shown = redacted(many + "ALTER ROLE r PASSWORD 'hunter2x';" + many)
    assert time.process_time() - began < 4 * reading
    assert shown == many + "ALTER ROLE r PASSWORD '***';" + many
