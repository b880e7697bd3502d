"""What a statement of a dump is about, whatever the names in it are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgrehearse.schema.kinds import IDENTIFIER, NAME, described

#: Statements as pg_dump writes them: (statement, object, subject). {t}: a table, {n}: another name.
KINDS = [
    ("COMMENT ON COLUMN {t}.{n} IS 'x'", "table {t}", "comment on column {n}"),
    ("COMMENT ON TABLE {t} IS 'a IS ''b'''", "table {t}", "comment"),
    ("COMMENT ON MATERIALIZED VIEW {t} IS NULL", "materialized view {t}", "comment"),
    ("COMMENT ON CONSTRAINT {n} ON {t} IS 'x'", "table {t}", "comment on constraint {n}"),
    ("COMMENT ON CONSTRAINT {n} ON DOMAIN {t} IS 'x'", "domain {t}", "comment on constraint {n}"),
    ("COMMENT ON TRIGGER {n} ON {t} IS 'x'", "table {t}", "comment on trigger {n}"),
    ("COMMENT ON FUNCTION public.f(a text) IS 'x'", "function public.f(a text)", "comment"),
    ("CREATE INDEX {n} ON {t} USING btree (a)", "table {t}", "index {n}"),
    ("CREATE UNIQUE INDEX {n} ON ONLY {t} USING btree (a)", "table {t}", "index {n}"),
    (
        "CREATE TRIGGER {n} BEFORE UPDATE OF a ON {t} FOR EACH ROW EXECUTE FUNCTION f()",
        "table {t}",
        "trigger {n}",
    ),
    ("CREATE POLICY {n} ON {t} USING (true)", "table {t}", "policy {n}"),
    ("CREATE RULE {n} AS\n    ON INSERT TO {t} DO INSTEAD NOTHING", "table {t}", "rule {n}"),
    ("ALTER TABLE ONLY {t}\n    ADD CONSTRAINT {n} PRIMARY KEY (a)", "table {t}", "constraint {n}"),
    ("ALTER TABLE ONLY {t} ALTER COLUMN {n} SET DEFAULT 1", "table {t}", "column {n}: set default"),
    ("ALTER TABLE {t} ALTER COLUMN {n} ADD GENERATED ALWAYS", "table {t}", "column {n}: add generated"),
    ("ALTER TABLE ONLY {t} ATTACH PARTITION {n} DEFAULT", "table {t}", "partition {n}"),
    ("ALTER TABLE {t} OWNER TO o", "table {t}", "owner"),
    ("ALTER MATERIALIZED VIEW {t} OWNER TO o", "materialized view {t}", "owner"),
    ("ALTER TABLE {t} ENABLE ALWAYS TRIGGER {n}", "table {t}", "firing of trigger {n}"),
    ("ALTER TABLE ONLY {t} REPLICA IDENTITY FULL", "table {t}", "replica identity"),
    ("ALTER TABLE {t} ENABLE ROW LEVEL SECURITY", "table {t}", "enable row"),
    ("ALTER TABLE ONLY {t} FORCE ROW LEVEL SECURITY", "table {t}", "force row"),
    ("CREATE STATISTICS {n} (ndistinct) ON a, b FROM {t}", "table {t}", "statistics {n}"),
    ("CREATE VIEW {t} AS\n SELECT 1", "view {t}", "view"),
    ("CREATE MATERIALIZED VIEW {t} AS\n SELECT 1", "materialized view {t}", "view"),
    ("CREATE SEQUENCE {t}\n    START WITH 1", "sequence {t}", "sequence"),
    ("ALTER SEQUENCE {t} OWNED BY public.x.y", "sequence {t}", "owned by"),
    ("GRANT SELECT(a),UPDATE(b) ON TABLE {t} TO {n}", "table {t}", "privileges of {n}"),
    ("GRANT ALL ON TABLE {t} TO {n} WITH GRANT OPTION", "table {t}", "privileges of {n}"),
    ("REVOKE ALL ON SCHEMA public FROM {n}", "schema public", "privileges of {n}"),
    ("GRANT ALL ON FUNCTION public.f(a text) TO {n}", "function public.f(a text)", "privileges of {n}"),
    ('ALTER DATABASE :"DBNAME" SET a.b TO \'x\'', "database", "setting a.b"),
    ('COMMENT ON DATABASE :"DBNAME" IS \'x\'', "database", "comment"),
    ("ALTER FUNCTION public.f() OWNER TO o", "function public.f()", "owner"),
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE o IN SCHEMA public GRANT SELECT ON TABLES TO {n}",
        "default privileges FOR ROLE o IN SCHEMA public",
        "of {n}",
    ),
]  # fmt: skip


@st.composite
def identifiers(draw: st.DrawFn) -> str:
    """A name as PostgreSQL writes it: plain, or quoted and of anything."""
    plain = st.from_regex(r"[a-z_][a-z0-9_$]{0,8}", fullmatch=True)
    letters = st.characters(exclude_characters="\0", exclude_categories=("Cs",))
    quoted = st.text(letters, min_size=1, max_size=8).map(lambda text: '"' + text.replace('"', '""') + '"')
    return draw(plain | quoted)


@given(identifiers())
def test_every_name_is_one(name: str) -> None:
    assert re.fullmatch(IDENTIFIER, name)
    assert re.fullmatch(NAME, f"public.{name}")


@pytest.mark.parametrize(("form", "about", "subject"), KINDS, ids=[kind[0][:60] for kind in KINDS])
@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("public.t", "n"),
        ('public."A b; ""c"""', '"N; x"'),
        ('"Str ON x"."IS"', '"TO ON"'),
        ("public.straße", "größe"),
    ],
)
def test_what_it_is_about(form: str, about: str, subject: str, table: str, name: str) -> None:
    sql, wanted, said = (text.replace("{t}", table).replace("{n}", name) for text in (form, about, subject))
    assert described(sql, "TYPE", "public", "name") == (wanted, said)


@pytest.mark.parametrize(
    ("schema", "found"),
    [("public", "operator class public.x"), ("-", "operator class x"), ("", "operator class x")],
)
def test_of_others_the_entry_tells(schema: str, found: str) -> None:
    assert described("CREATE OPERATOR CLASS", "OPERATOR CLASS", schema, "x") == (found, "operator class")


@pytest.mark.parametrize(
    ("sql", "type_", "schema", "name", "owner"),
    [
        ('CREATE SCHEMA "Odd one"', "SCHEMA", "-", "Odd one", 'ALTER SCHEMA "Odd one" OWNER TO x'),
        (
            'CREATE PUBLICATION "P" FOR ALL TABLES',
            "PUBLICATION",
            "-",
            "P",
            'ALTER PUBLICATION "P" OWNER TO x',
        ),
        (
            'CREATE FUNCTION "S"."F"(a integer DEFAULT 1) RETURNS integer LANGUAGE sql AS $$$$',
            "FUNCTION",
            "S",
            "F(integer)",
            'ALTER FUNCTION "S"."F"(integer) OWNER TO x',
        ),
        (
            'CREATE TRUSTED PROCEDURAL LANGUAGE "L" HANDLER h',
            "PROCEDURAL LANGUAGE",
            "-",
            "L",
            'ALTER PROCEDURAL LANGUAGE "L" OWNER TO x',
        ),
        ('CREATE TYPE s."T" AS ENUM (\n)', "TYPE", "s", "T", 'ALTER TYPE s."T" OWNER TO x'),
        ("CREATE OPERATOR s.=== (\n)", "OPERATOR", "s", "===", None),
        ("CREATE FUNCTION s.f() RETURNS void", "FUNCTION", "s", "f()", "ALTER FUNCTION s.f() OWNER TO x"),
    ],
)
def test_what_is_made_is_called_as_what_is_said_of_it(
    sql: str, type_: str, schema: str, name: str, owner: str | None
) -> None:
    found = described(sql, type_, schema, name)[0]
    if owner is None:
        assert found == f"operator {schema}.{name}"
    else:
        assert found == described(owner, type_, schema, name)[0]
