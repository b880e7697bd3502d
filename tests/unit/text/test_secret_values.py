"""Which literal is a secret by its place; those beside it are not."""

from __future__ import annotations

import time

import pytest

from pgrehearse.text.passwords import redacted
from pgrehearse.text.secret_values import SecretValues
from pgrehearse.text.split import scanned

#: H is a secret, P is none.
PLACES = (
    "INSERT INTO u (name, password) VALUES ('P', 'H'), ('P', 'H')",
    "INSERT INTO u (name, \"Password\") SELECT 'P', 'H' UNION ALL SELECT 'P', 'H'",
    "INSERT INTO u (name, password) VALUES ('P', lower('H')) ON CONFLICT (name) DO UPDATE SET password = 'H'",
    "UPDATE u SET (name, password) = ROW ('P', 'H'), note = 'P'",
    "UPDATE u SET password = CASE WHEN a = 1 AND b THEN 'H' ELSE 'H' END, note = 'P' WHERE name = 'P'",
    "SELECT crypt('H', gen_salt('P')), 'P'",
    "SELECT vault.create_secret('H', 'P')",
    "SELECT * FROM u WHERE password IN ('H', 'H') AND name IN ('P')",
    "SELECT * FROM u WHERE password NOT IN ('H') OR name LIKE 'P'",
    "SELECT * FROM u WHERE password NOT LIKE 'H' AND note = 'P'",
    "SELECT * FROM u WHERE name IN ('P') AND 'P' IN ('password', 'P')",
    "CREATE TABLE u (name text DEFAULT 'P', password text NOT NULL DEFAULT 'H', note text DEFAULT 'P')",
    "ALTER TABLE u ADD password text DEFAULT 'H', ADD note text DEFAULT 'P'",
    "ALTER TABLE u ADD COLUMN IF NOT EXISTS api_key text DEFAULT 'H'",
    "ALTER TABLE u ALTER COLUMN \"password\" SET DEFAULT 'H', ALTER note SET DEFAULT 'P'",
    "CREATE FUNCTION f(name text DEFAULT 'P', IN password text DEFAULT 'H') RETURNS int RETURN 1",
    "SELECT jsonb_build_object('name', 'P', 'password', 'H', 'note', 'P')",
    "SELECT json_build_object('name', 'password', 'note', 'P')",
    "CREATE TYPE login AS ENUM ('password', 'P', 'token', 'P')",
    "INSERT INTO u (name) VALUES ('P'); INSERT INTO u (password) VALUES ('H')",
    "SELECT check_password('H', lower('H')), 'P'",
    "INSERT INTO kind VALUES ('password', 'P'), ('P', 'P')",
    "SELECT auth.pg_hash_api_key('H') FROM u WHERE name = 'P'",
    "DECLARE password CONSTANT text NOT NULL := 'H'; note text := 'P'",
    "CREATE TABLE u (password text); COMMENT ON COLUMN u.password IS 'P'; SELECT 'P'",
    "UPDATE u SET data = jsonb_set(data, ARRAY['P', 'password'], to_jsonb('H'::text), 'P') WHERE name = 'P'",
    "UPDATE u SET data['P'] = 'P', data['password'] = lower('H'), note = 'P'",
    "SELECT hstore('password', 'H'), hstore('P', 'P'), hstore(ARRAY['P', 'P', 'token', 'H'])",
    "SELECT json_object(ARRAY['P', 'password'], ARRAY['P', 'H']), ARRAY['password', 'P']",
    "INSERT INTO s.token VALUES (1, 'H'), (2, 'H') RETURNING 'P'",
    "INSERT INTO token_kind VALUES ('P'); INSERT INTO token (kind) VALUES ('P')",
    "SELECT * FROM u WHERE data['password'] = 'H' AND data['P'] = 'P'",
)


@pytest.mark.parametrize("sql", PLACES)
def test_a_secret_is_hidden_and_what_stands_beside_it_is_not(sql: str) -> None:
    """Read from the text's own tokens, and so told by `redacted` too."""
    values, found = SecretValues(lambda name: name in ("password", "api_key", "token")), []
    for token in scanned(sql):
        if token.kind == "string" and token.text.strip("'") in "HP":
            found.append((token.text.strip("'"), values.here))
        values.feed(token)
    assert found and [kind for kind, hidden in found if hidden != (kind == "H")] == []
    if "COMMENT" not in sql:
        shown = redacted(sql.replace("'H'", "'hunter2x'"))
        assert shown == sql.replace("'H'", "'***'")


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("EXECUTE p('hunter2x', 7)", "EXECUTE p('***', 7)"),
        ("/* a */ EXPLAIN (ANALYZE) EXECUTE \"P\" ('hunter2x')", None),
        ("PREPARE p(text, text) AS UPDATE u SET name = $1, password = $2; EXECUTE P('a', 'hunter2x')", None),
        ("PREPARE p AS INSERT INTO u VALUES ($1); EXECUTE q('hunter2x'); EXECUTE p('a')", None),
        (
            "SELECT set_config('app.key', 'hunter2x', true), set_config('app.jwt_secret', 'hunter2x', true)",
            None,
        ),
        ("SET LOCAL app.key = 'hunter2x'; ALTER DATABASE d SET app.key TO 'hunter2x'", None),
        ("UPDATE u SET data = jsonb_set(data, '{a,password}', 'hunter2x', 'a')", None),
        ("INSERT INTO \"User_Secrets\" VALUES ('hunter2x') ON CONFLICT DO NOTHING", None),
        ('SELECT \'a=>b, "password"=>"hunter2x"\'::hstore', "SELECT '***'::hstore"),
    ],
)
def test_a_secret_is_told_by_what_it_is_given_to(sql: str, shown: str | None) -> None:
    assert redacted(sql) == (shown or sql.replace("'hunter2x'", "'***'"))
    assert redacted(sql, "invalid value hunter2x for it") == "invalid value *** for it"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f('a')",
        "DO $$ BEGIN EXECUTE format('a %I', n); EXECUTE quote_ident('b'); END $$",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE p(''a''); END'",
        "PREPARE p(text) AS SELECT * FROM u WHERE name = $1; EXECUTE p('a'); DEALLOCATE p",
        "SELECT set_config('lock_timeout', '2s', true), set_config('app.keys', 'a', true)",
        "SELECT set_config('key', 'a', true)",
        "SET app.keyboard = 'de'; SET app.user = 'key'",
        "UPDATE u SET data = jsonb_set(data, '{password,hint}', '\"a\"'), keys['key'] = 'a'",
        "SELECT hstore('note', 'password'), hstore(ARRAY['a', 'password'])",
    ],
)
def test_ordinary_arguments_keep_every_word(sql: str) -> None:
    assert redacted(sql) == sql


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('{"name": "a", "password": "hunter2x"}', True),
        ('{"db_password" : "hunter2x"}', True),
        ('{"token_type": "bearer", "secret": true}', False),
        ('{"name": "password", "note": "a"}', False),
    ],
)
def test_a_password_in_json_is_hidden_with_all_of_it(text: str, hidden: bool) -> None:
    sql = f"INSERT INTO u (data) VALUES ('{text}')"
    assert redacted(sql) == (sql.replace(text, "***") if hidden else sql)
    if hidden:
        assert redacted(sql, "invalid value hunter2x for it") == "invalid value *** for it"


def test_time_grows_with_the_text() -> None:
    sql = "INSERT INTO u (name, password) VALUES " + ", ".join(["('a', 'b')"] * 20_000)
    began = time.process_time()
    values = SecretValues(lambda name: name == "password")
    for token in scanned(sql):
        values.feed(token)
    assert time.process_time() - began < 5
