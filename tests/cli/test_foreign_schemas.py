"""Schemas that somebody else wrote are code: it runs nothing, goes nowhere, and has no powers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.bench import Bench
from support.databases import Database, mark

TABLE = "CREATE TABLE public.things (id bigint PRIMARY KEY, n int);\n"
#: Fails where it has powers: of a superuser, of one who could become one, of one who may run programs.
SPY = """
CREATE FUNCTION public.spy() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('is_superuser') = 'on' OR EXISTS (
      SELECT FROM pg_roles AS r WHERE (r.rolsuper OR r.rolname LIKE 'pg\\_%program')
      AND (pg_has_role(session_user, r.oid, 'MEMBER') OR pg_has_role(current_user, r.oid, 'MEMBER')))
  THEN RAISE EXCEPTION 'it has powers'; END IF;
  RETURN 1;
END $$;
CREATE FUNCTION public.fired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM public.spy(); RETURN NEW; END $$;
"""
INSERT = "INSERT INTO things SELECT n, n FROM generate_series(5000, 5010) AS n;\n"


HOOKED = "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION hook();\n"


@pytest.fixture
def things(bench: Bench) -> Bench:
    bench.write(
        "seed.sql", "INSERT INTO public.things SELECT n, n FROM generate_series(1, :'rows'::int) AS n;\n"
    )
    bench.write("change.sql", INSERT)
    return bench


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\\! touch PROOF\n", 2),
        ("SELECT 1 \\! touch PROOF\n", 2),
        ("\\copy (SELECT 1) TO PROGRAM 'touch PROOF'\n", 2),
        ("SELECT 1 \\g |touch PROOF\n", 2),
        ("\\o |touch PROOF\nSELECT 1;\n", 2),
        ("\\set x `touch PROOF`\n", 2),
        ("\\i other.sql\n", 2),
        ("\\connect postgres\n", 2),
        ("\n\\c 'dbname=postgres'\n", 3),
        ("\\restrict a \\! touch PROOF\n", 2),
        ("COPY things FROM stdin; \\! touch PROOF\n1\t1\n\\.\n", 2),
        ("COPY things FROM stdin;\n1\t1\n\\.\n\\! touch PROOF\n", 5),
    ],
)
def test_no_command_of_psql_is_carried_out(things: Bench, text: str, line: int) -> None:
    proof = things.root / "proof"
    things.write("other.sql", f"\\! touch {proof}\n")
    things.write("schema.sql", TABLE + text.replace("PROOF", str(proof)))
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert (ended.status, proof.exists()) == (65, False)
    assert f"schema.sql:{line}: " in ended.err


@pytest.mark.parametrize(
    "text",
    [
        # What psql reads as a quote depends on a setting of the session; here nothing reads commands at all.
        "SET standard_conforming_strings = off;\nSELECT 'a\\''; \\! touch PROOF\n--';\n",
        "SET standard_conforming_strings = off;\nSELECT '\\'; \\! touch PROOF\n --';\n",
    ],
)
def test_quotes_that_psql_reads_otherwise_hide_no_command(things: Bench, text: str) -> None:
    proof = things.root / "proof"
    things.write("schema.sql", TABLE + text.replace("PROOF", str(proof)))
    things.call("xray", "change.sql", "--schema", "schema.sql")
    assert not proof.exists()


@pytest.mark.parametrize(
    "code",
    [
        "CREATE TRIGGER t AFTER INSERT ON things FOR EACH ROW EXECUTE FUNCTION fired();",
        "CREATE TRIGGER t BEFORE INSERT ON things FOR EACH STATEMENT EXECUTE FUNCTION fired();\n"
        "ALTER TABLE things ENABLE ALWAYS TRIGGER t;",
        "ALTER TABLE things ADD d int DEFAULT spy();",
        "ALTER TABLE things ADD CHECK (spy() = 1);",
        "ALTER FUNCTION spy() IMMUTABLE;\nCREATE INDEX ON things ((spy()));",
        "CREATE RULE r AS ON INSERT TO things DO ALSO SELECT spy();",
        "SELECT spy();",
        "DO $$ BEGIN PERFORM spy(); END $$;",
        "RESET SESSION AUTHORIZATION;\nRESET ROLE;\nSELECT spy();",
    ],
)
def test_code_of_a_schema_has_no_powers(things: Bench, code: str) -> None:
    things.write("schema.sql", TABLE + SPY + code + "\n")
    things.write("change.sql", "REINDEX TABLE CONCURRENTLY things;\n" if "INDEX" in code else INSERT)
    ended = things.call("xray", "change.sql", "--schema", "schema.sql", "--seed", "seed.sql", "--json")
    assert ended.status == 0, ended.err
    assert [row["error"] for row in json.loads(ended.out)["statements"]] == [None]


def test_a_program_is_not_run(things: Bench) -> None:
    things.write(
        "schema.sql", TABLE + "COPY (SELECT 1) TO PROGRAM 'true';\nCOPY (SELECT 1) TO '/dev/null';\n"
    )
    ended = things.call("xray", "change.sql", "--schema", "schema.sql", "--json")
    assert ended.status == 0, ended.err
    notes = json.loads(ended.out)["notes"]
    assert [note.split(": ")[:2] for note in notes[:2]] == [
        ["schema.sql:2", "left out, for a schema of others gets no powers"],
        ["schema.sql:3", "left out, for a schema of others gets no powers"],
    ]


def test_event_triggers_and_extensions_are_named(things: Bench, plain: Database) -> None:
    plain.execute("CREATE TABLE things (id bigint PRIMARY KEY, n int)")
    plain.execute("CREATE SCHEMA tools; CREATE EXTENSION dblink SCHEMA tools; CREATE EXTENSION citext")
    plain.execute("ALTER TABLE things ADD c citext")
    plain.execute(
        "CREATE FUNCTION hook() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;"
        "CREATE EVENT TRIGGER hooked ON ddl_command_end EXECUTE FUNCTION hook()",
    )
    ended = things.call("xray", "change.sql", "--dsn", plain.dsn, "--json")
    assert ended.status == 0, ended.err
    notes = "\n".join(json.loads(ended.out)["notes"])
    assert "the extension dblink needs a superuser, who made it before all else" in notes
    assert 'permission denied to create event trigger "hooked"' in notes
    assert "citext" not in notes


def test_lint_gives_a_dump_no_powers_either(things: Bench) -> None:
    code = "CREATE TRIGGER t AFTER INSERT ON things FOR EACH ROW EXECUTE FUNCTION fired();\n"
    things.write("schema.sql", TABLE + SPY + code + "COPY (SELECT 1) TO PROGRAM 'true';\n")
    things.write("db/migrations/1_a.sql", f"-- migrate:up\n{INSERT}-- migrate:down\nDELETE FROM things;\n")
    things.write("db/seed.sql", "INSERT INTO things VALUES (1, 1);\n")
    for more in (["--fresh"], []):  # measured, then recalled: what the dump lacked is said again
        ended = things.call("db", "lint", "--schema", "schema.sql", "--json", *more)
        found = json.loads(ended.out)
        assert "it has powers" not in ended.out + ended.err
        assert ["schema.sql" in note for note in found["notes"]] == [True]
    things.write("schema.sql", TABLE + "\\! true\n")
    ended = things.call("db", "lint", "--schema", "schema.sql")
    assert (ended.status, "schema.sql:2: psql's command \\! " in ended.err) == (65, True)


def test_the_schema_file_is_no_script_of_psql(things: Bench) -> None:
    proof = things.root / "proof"
    things.write("db/migrations/1_a.sql", f"-- migrate:up\n{TABLE}-- migrate:down\nDROP TABLE things;\n")
    things.write("db/schema.sql", f"{TABLE}\\! touch {proof}\n")
    ended = things.call("db", "check", "--only", "schema")
    assert (ended.status, proof.exists(), "schema.sql:2: psql's command \\! " in ended.err) == (
        65,
        False,
        True,
    )
    things.write("db/schema.sql", TABLE + SPY + "SELECT spy();\n")
    ended = things.call("db", "check", "--only", "schema")
    assert (ended.status, "it has powers" in ended.err) == (1, False)


def test_a_copy_with_rows_is_loaded(things: Bench, tmp_path: Path) -> None:
    text = "COPY public.things (id, n) FROM stdin;\n1\t\\N\n2\t'\n\\.\n".replace("'", "5")
    things.write("schema.sql", f"\\restrict abc\n{TABLE}{text}\n\\unrestrict abc\n")
    things.write("change.sql", "ALTER TABLE things ALTER n TYPE bigint;\n")
    ended = things.call("xray", "change.sql", "--schema", "schema.sql", "--json")
    assert (ended.status, json.loads(ended.out)["notes"]) == (0, [])


def test_an_extension_gives_the_role_nothing_of_the_system(things: Bench) -> None:
    text = "CREATE EXTENSION dblink SCHEMA pg_catalog;\nSELECT count(*) FROM pg_authid;\n"
    looks = "DO $$ BEGIN ASSERT NOT has_table_privilege('pg_authid', 'SELECT'); END $$;\n"
    things.write("schema.sql", text + TABLE + looks)
    ended = things.call("xray", "change.sql", "--schema", "schema.sql", "--json")
    assert ended.status == 0, ended.err
    notes = json.loads(ended.out)["notes"]
    assert [note.split(":")[1] for note in notes if "schema.sql" in note] == ["1", "2"]


#: A class whose function looks whether it has powers.
COMPARED = "CREATE OPERATOR CLASS o FOR TYPE int USING btree AS OPERATOR 3 =, FUNCTION 1 compare(int, int);\n"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("CREATE FOREIGN DATA WRAPPER w VALIDATOR check_it OPTIONS (a 'b');", 65),
        (f"{HOOKED}CREATE PUBLICATION p;", 1),
        (f"{HOOKED}COMMENT ON EVENT TRIGGER e IS 'x';", 1),
        (f"{COMPARED}CREATE INDEX ON things (n o);", 1),
        (f"{COMPARED}ALTER OPERATOR FAMILY o USING btree ADD FUNCTION 4 (int, int) alike(oid);", 1),
        (COMPARED.replace("FOR TYPE int", "DEFAULT FOR TYPE xid").replace("int, int", "xid, xid"), 1),
    ],
)
def test_what_the_superuser_does_for_a_schema_file_runs_none_of_it(
    things: Bench, code: str, status: int
) -> None:
    body = "LANGUAGE plpgsql AS $$ BEGIN PERFORM public.spy(); END $$;\n"
    functions = (
        f"CREATE FUNCTION check_it(text[], oid) RETURNS void {body}"
        f"CREATE FUNCTION hook() RETURNS event_trigger {body}"
        + "".join(
            f"CREATE FUNCTION compare({kind}, {kind}) RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
            " $$ BEGIN PERFORM public.spy(); RETURN 0; END $$;\n"
            for kind in ("int", "xid")
        )
        + "CREATE FUNCTION alike(oid) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN PERFORM public.spy(); RETURN true; END $$;\n"
    )
    things.write("db/migrations/1_a.sql", f"-- migrate:up\n{TABLE}-- migrate:down\nDROP TABLE things;\n")
    things.write("db/schema.sql", TABLE + SPY + functions + code + "\n")
    ended = things.call("db", "check", "--only", "schema")
    assert (ended.status, "it has powers" in ended.err) == (status, False), ended


_ELSEWHERE = (
    "name a server that has the extension: --server URL, --pg MAJOR, or its programs by PGREHEARSE_BINDIR"
)
_THERE = "install the package with that extension where the server runs"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("xray", "db/migrations/20260102030405_a.sql"), (_ELSEWHERE,)),
        (("xray", "plain.sql", "--schema", "dump.sql"), (_ELSEWHERE,)),
        (("db", "lint"), (_ELSEWHERE,)),
        (("db", "test"), (_ELSEWHERE, _THERE)),
        (("db", "up"), (_THERE,)),
        (("test", "page.md"), (_ELSEWHERE,)),
    ],
    ids=["xray", "xray of a dump", "lint", "test", "up", "page"],
)
def test_an_extension_that_the_server_lacks(
    bench: Bench, plain: Database, command: tuple[str, ...], said: tuple[str, ...]
) -> None:
    """Nobody can mend the statement: the server is the wrong one, or has to be given the extension."""
    make = 'CREATE EXTENSION "no_such-one";\n'
    bench.write("db/migrations/20260102030405_a.sql", f"-- migrate:up\n{make}-- migrate:down\nSELECT 1;\n")
    bench.write("dump.sql", make)
    bench.write("plain.sql", "SELECT 1;\n")
    bench.write("page.md", f"# Page\n\n```sql\n{make}```\n")
    mark(plain.dsn, "test")
    environment = ("--dsn", plain.dsn) if command == ("db", "up") else ()
    ended = bench.call(*command, *environment)
    assert ended.status != 0 or "dump.sql" in command  # what a dump lacks is a note
    shown = " ".join((ended.out + ended.err).split())
    assert [text in shown for text in (_ELSEWHERE, _THERE)] == [
        text in said for text in (_ELSEWHERE, _THERE)
    ], shown
