"""Secrets that are told by their form, or by what is said before them; ordinary SQL keeps every word."""

from __future__ import annotations

import time

import pytest

from pgrehearse.text.passwords import connection_strings, redacted

# Put together here, so that nobody who looks for secrets in files finds these.
TOKEN = ".".join(["eyJ" + "hbGciOiJIUzI1NiJ9", "eyJ" + "zdWIiOiIxMjM0In0", "dozjgNryP4J3jVmNHl0w5N"])
KEY = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEow\n-----END RSA PRIVATE" + " KEY-----"
FORMS = (
    TOKEN,
    KEY,
    "$2a$12$" + "R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
    "$argon2id$" + "v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g",
    "$6$" + "rounds=5000$saltsalt$aaaaaaaaaaaaaaaaaaaaaaaa",
    "SCRAM-SHA-256$4096:" + "c2FsdA==$c3RvcmVk:c2VydmVy",
    "md5" + "d41d8cd98f00b204e9800998ecf8427e",
    "pbkdf2_sha256$" + "260000$saltsalt$aaaaaaaaaaaaaaaaaaaaaa",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "glpat-" + "a1b2c3d4e5f6g7h8i9j0",
    "xoxb-" + "123456789012-abcdefabcdef",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstuvwx",
    "Authorization: Bearer " + "hunter2x",
    "https://" + "hunter2xhunter2x@example.com/a.git",
    "pg_tool --password hunter2x",
    "curl -u me:hunter2x example.com",
    "the password is hunter2x",
    "password: hunter2x, for a week",
)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_hidden_wherever_it_stands(form: str) -> None:
    for sql in (
        f"INSERT INTO t VALUES (1, '{form}')",
        f"COMMENT ON TABLE t IS '{form}'",
        f"SELECT f('a', $q${form}$q$)",
        f"DO $$ BEGIN PERFORM f('{form}'); END $$",
        f"DO $$ BEGIN EXECUTE 'SELECT f(''{form}'')'; END $$",
        f"COPY t FROM PROGRAM '{form}'",
        f"SELECT 1 /* {form} */",
        f"SELECT f('{form}",  # cut off
    ):
        assert form not in redacted(sql), sql
        assert form not in redacted(sql, f"ERROR:  near {form}\nLINE 1: {sql}"), sql


def test_a_literal_that_is_nothing_but_a_key_beside_its_name() -> None:
    name, key = "AKIA" + "IOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
    sql = f"SELECT f('a', '{name}', '{key}')"
    assert redacted(sql) == "SELECT f('a', '***', '***')"
    assert redacted(sql, f"not known: {key}") == "not known: ***"


@pytest.mark.parametrize("form", [form for form in FORMS if not form.startswith(("the ", "password:"))])
def test_a_message_of_a_program_holds_none(form: str) -> None:
    assert form not in connection_strings(f"it failed: {form}")
    assert form not in redacted("SELECT f()", f"NOTICE:  {form}")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT md5('hunter2x')",
        "SELECT md5(E'hunter2x'::text)",
        "SELECT encode(sha256('hunter2x'::bytea), 'hex')",
        "SELECT encode(digest('hunter2x' || u.salt, 'sha256'), 'hex') FROM u",
        "UPDATE u SET hash = md5(name || 'hunter2x')",
        "DO $$ BEGIN EXECUTE 'SELECT md5(''hunter2x'')'; END $$",
        "SELECT verify_password('hunter2x')",
        "SELECT aws_commons.create_aws_credentials('a', 'hunter2x', '')",
        "UPDATE u SET user_pass = 'hunter2x'",
        "INSERT INTO u (name, pw_hash) VALUES ('a', 'hunter2x')",
        "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (secret_key 'hunter2x')",
        "ALTER ROLE r SET app.credentials = 'hunter2x'",
        "-- password: hunter2x\nSELECT 1",
        "INSERT INTO setting VALUES (7, 'theme', 'dark'), (8, 'smtp_password', 'hunter2x')",
        "UPDATE setting SET value = 'hunter2x' WHERE name = 'smtp.api-key'",
        "COPY t TO PROGRAM 'copier --secret-access-key hunter2x'",
    ],
)
def test_a_secret_by_what_is_done_with_it(sql: str) -> None:
    assert "hunter2x" not in redacted(sql)
    assert "hunter2x" not in redacted(sql, f"ERROR:  near hunter2x\nLINE 1: {sql}")


ORDINARY = (
    "INSERT INTO t SELECT n, md5('row' || n), md5(n::text) FROM generate_series(1, 9) AS n",
    "SELECT md5('a')::uuid, sha256(convert_to(note, 'UTF8')), hashtext('a')",
    "INSERT INTO file (name, sum) VALUES ('a', '2fd4e1c67a2d28fced849ee1bb76e7391b93eb12')",
    "INSERT INTO file VALUES ('d41d8cd98f00b204e9800998ecf8427e', '0b8f5b3e-1d0c-4f6e-8d53-3c1c4f0f0a11')",
    "SELECT 'npm_packages_download_counts_by_week'::regclass, 'asiapacificregion01', 'sg.a.b'",
    "COMMENT ON COLUMN u.password IS 'the password is hashed with sha256, the token is base64'",
    "COMMENT ON TABLE u IS 'one-time-password sent by mail; secret: none'",
    "COMMENT ON TABLE u IS 'pg_dump --no-password shop'",
    "UPDATE course SET compass = 'north', bypass = 'no', passed = 'yes', authority = 'a', keys = 'b'",
    "CREATE TABLE token_kind (name text DEFAULT 'a', CHECK (name IN ('a', 'b')))",
    "CREATE TABLE u (password text CHECK (length(password) > 8)); CREATE INDEX ON u (lower(password), 'a')",
    "INSERT INTO page VALUES ('https://example.com/@me', 'https://example.com/a?b=c@d', 'me@example.com')",
    "SELECT * FROM t WHERE accessed = 'a' AND author = 'b' AND digest = 'c' AND shape = 'd'",
    "SELECT '$1$', $1, $2, 'USD $20', '$200', format('%1$s', 'a')",
    "SELECT 'curl up on a sofa: fine', 'a ghost_story', 'basket-size', 'bearer of good news'",
    "-- tokens are counted, a password is not\nSELECT set_config('lock_timeout', '2s', true)",
    "SELECT check_constraints('a'), update_tokens_seen('b'), reset_all('c')",
    "BEGIN name := 'a'; note := 'b'; END",
    "INSERT INTO kind VALUES ('api_token', 'a token of the API'), ('password', 'password')",
    "SELECT * FROM setting WHERE name IN ('smtp_password', 'theme') AND value = 'a'",
    "CREATE TYPE kind AS ENUM ('api_token', 'none', 'login_password', 'other')",
    "UPDATE setting SET value = 'a' WHERE name = 'theme'",
)


@pytest.mark.parametrize("sql", ORDINARY)
def test_ordinary_sql_keeps_every_word(sql: str) -> None:
    assert redacted(sql) == sql
    assert redacted(sql, sql) == sql
    assert connection_strings(sql) == sql


@pytest.mark.parametrize(
    "piece",
    [
        *("eyJ-", "password: ", "token:", "--password ", "md5('", "md5(salt", "curl ", "$1$", "SG.", "sk-"),
        *("values('a_token',", "set value = 'a' where b ", "hstore("),
        *("-----BEGIN PRIVATE KEY-----", "http://", "authorization: ", "SCRAM-SHA-256$1:", "pbkdf2:"),
    ],
)
def test_time_grows_with_the_text(piece: str) -> None:
    started = time.process_time()
    for sql in (
        f"INSERT INTO t VALUES ('{(piece * 20_000).replace(chr(39), chr(39) * 2)}')",
        f"-- {piece * 20_000}",
    ):
        redacted(sql)
        redacted("SELECT 1", sql)
    assert time.process_time() - started < 5
