"""``pgrehearse db check`` on a project of its own: what it compares, what it says, what it leaves alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from pgrehearse import queries
from pgrehearse.command.db import db
from pgrehearse.errors import DocumentError, PgRehearseError, SetupError
from pgrehearse.migration.drift import comparisons
from pgrehearse.migration.drift.scratch import Scratch
from pgrehearse.schema import differences, programs, read
from pgrehearse.schema.dump import dump
from pgrehearse.servers import Server, Servers
from support.databases import execute, fresh, mark, name_of
from support.majors import OLD_AND_NEW
from support.projects import project_at

FIRST = """-- migrate:up
CREATE TABLE wish (id bigint PRIMARY KEY, title text NOT NULL);
GRANT SELECT ON wish TO teller;
-- migrate:down
DROP TABLE wish;
"""
SECOND = """-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY wish_title_idx ON wish (title);
-- migrate:down transaction:false
DROP INDEX wish_title_idx;
"""


@dataclass
class Bench:
    """A project with two migrations, and a marked database on a server that has the role they mention."""

    server: Server
    folder: Path
    name: str

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.name)

    def run(self, *words: str, user: str | None = None, database: bool = True) -> tuple[int, str]:
        named = ("--dsn", self.server.dsn(self.name, user)) if database else ()
        done = CliRunner().invoke(db, [*words, *named], standalone_mode=False)
        if isinstance(done.exception, PgRehearseError):
            raise done.exception
        assert done.exception is None, done.exception
        return int(done.return_value or 0), done.stdout

    def sql(self, *statements: str, user: str | None = None) -> None:
        dsn = self.server.dsn(self.name, user)
        with psycopg.connect(dsn, autocommit=True, application_name="by hand") as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def write(self, name: str, text: str) -> None:
        (self.folder / "db" / name).write_text(text, encoding="utf-8")


@pytest.fixture(params=OLD_AND_NEW)
def bench(
    request: pytest.FixtureRequest, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    server = servers.get(request.param)
    monkeypatch.chdir(tmp_path)
    for variable in ("PGDATABASE", "PGSERVICE", "DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    project_at(
        tmp_path, {"db/migrations/1_create_wish.sql": FIRST, "db/migrations/2_index_title.sql": SECOND}
    )
    roles = ("teller", "reader", "stranger", "migrator")
    for role in roles:
        execute(server.dsn(), f"CREATE ROLE {role} LOGIN")
    with fresh(server, "test", prefix="check") as dsn:
        yield Bench(server, tmp_path, name_of(dsn))
    for role in roles:
        execute(server.dsn(), f"DROP ROLE {role}")


@pytest.fixture
def applied(bench: Bench) -> Bench:
    assert bench.run("up")[0] == 0
    bench.run("check", "--write-schema")
    return bench


def parts(bench: Bench, *words: str) -> dict[str, Any]:
    status, text = bench.run("check", "--json", *words)
    found: dict[str, Any] = json.loads(text)
    assert status == int(found["drift"])
    return found


def test_no_drift(applied: Bench) -> None:
    found = parts(applied)
    assert found == {"drift": False} | {name: found[name] for name in ("live", "schema", "files")}
    assert [found[name]["drift"] for name in ("live", "schema", "files")] == [False] * 3


def test_each_comparison_finds_its_own(applied: Bench) -> None:
    applied.sql("DROP INDEX wish_title_idx")
    found = parts(applied)
    assert [found[name]["drift"] for name in ("live", "schema", "files")] == [True, False, False]
    assert [one["subject"] for one in found["live"]["only_right"]] == ["index wish_title_idx"]
    applied.sql("CREATE INDEX wish_title_idx ON wish (title)")

    schema = applied.folder / "db" / "schema.sql"
    schema.write_text(schema.read_text("utf-8").replace("title text NOT NULL", "title text"), "utf-8")
    found = parts(applied)
    assert [found[name]["drift"] for name in ("live", "schema", "files")] == [False, True, False]
    why = found["schema"]["only_left"][0]["why"]
    assert why == "column title: NOT NULL in the migrations, nothing in schema.sql"

    applied.run("check", "--write-schema")
    applied.write("migrations/1_create_wish.sql", FIRST + "-- edited\n")
    found = parts(applied)
    assert [found[name]["drift"] for name in ("live", "schema", "files")] == [False, False, True]


def test_drift_is_a_finding(applied: Bench) -> None:
    assert applied.run("check", "--only", "live", "--format", "github")[1].count("::error") == 0
    applied.sql("DROP INDEX wish_title_idx")
    applied.write("migrations/1_create_wish.sql", FIRST + "-- edited\n")
    status, text = applied.run("check", "--only", "live", "--only", "files", "--format", "sarif")
    found = json.loads(text)["runs"][0]["results"]
    places = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in found]
    assert (status, [one["ruleId"] for one in found], places) == (
        1,
        ["drift/live", "ledger"],
        ["db/schema.sql", "db/migrations/1_create_wish.sql"],
    )
    assert (
        "table public.wish: only in the migrations: index wish_title_idx: missing in live"
        in found[0]["message"]["text"]
    )


def test_a_pending_migration_is_no_drift_of_the_database(applied: Bench) -> None:
    pending = (
        "-- migrate:up\nALTER TABLE wish ADD seen boolean;\n-- migrate:down\nALTER TABLE wish DROP seen;\n"
    )
    applied.write("migrations/3_seen.sql", pending)
    found = parts(applied)
    assert [found[name]["drift"] for name in ("live", "schema", "files")] == [False, True, False]
    applied.run("check", "--write-schema")
    assert parts(applied)["drift"] is False


def test_without_a_database_the_schema_file_is_compared(applied: Bench) -> None:
    status, text = applied.run("check", database=False)
    assert (status, text.splitlines()[0]) == (0, "schema: the migrations against schema.sql: no drift")
    with pytest.raises(SetupError, match="no database is named"):
        applied.run("check", "--only", "live", database=False)


def test_a_schema_file_that_fails_is_named_with_its_line(applied: Bench) -> None:
    applied.write("schema.sql", "CREATE TABLE wish (id int);\n\nCREATE TABLE wish (id int);\n")
    with pytest.raises(DocumentError, match="already exists") as caught:
        applied.run("check", "--only", "schema")
    assert (caught.value.location.rpartition("/")[2], caught.value.exit_code) == ("schema.sql:3", 65)


OPERATORS = (
    "CREATE OPERATOR CLASS backwards FOR TYPE int8 USING btree AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =,"
    " OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint8cmp(int8, int8);\n"
    "COMMENT ON OPERATOR CLASS backwards USING btree IS 'Newest first.';\n"
    "COMMENT ON OPERATOR FAMILY backwards USING btree IS 'Newest first.';\n"
    "CREATE INDEX wish_backwards ON wish (id backwards);"
)
WRAPPED = (
    "CREATE EXTENSION postgres_fdw;\n"
    "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x');\n"
    "CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'x');\n"
    "CREATE FOREIGN TABLE far_wish (id int) SERVER far;"
)
FAMILY = (
    "CREATE OPERATOR FAMILY loose USING hash;\n"
    "ALTER OPERATOR FAMILY loose USING hash ADD OPERATOR 1 = (int4, int8);"
)


@pytest.mark.parametrize("statements", [OPERATORS, WRAPPED, FAMILY])
def test_what_a_superuser_makes_is_compared(applied: Bench, statements: str) -> None:
    up = f"-- migrate:up\n{statements}\n-- migrate:down\n-- not restored: made once\n"
    applied.write("migrations/3_superuser.sql", up)
    assert applied.run("check", "--write-schema", database=False)[0] == 0
    status, text = applied.run("check", "--only", "schema", database=False)
    assert (status, text.splitlines()[0]) == (0, "schema: the migrations against schema.sql: no drift")
    schema = (applied.folder / "db" / "schema.sql").read_text(encoding="utf-8")
    for old, new in (("backwards", "forwards"), ("far", "near"), ("loose", "strict")):
        schema = schema.replace(old, new)
    applied.write("schema.sql", schema)
    assert applied.run("check", "--only", "schema", database=False)[0] == 1, "the control"


def test_what_needs_a_superuser_is_refused_with_the_way_out(applied: Bench) -> None:
    applied.write("schema.sql", "CREATE FOREIGN DATA WRAPPER own;\n")
    with pytest.raises(DocumentError, match="permission denied to create foreign-data wrapper") as caught:
        applied.run("check", "--only", "schema", database=False)
    assert caught.value.next_step is not None
    assert "role without powers" in caught.value.next_step


def test_a_database_without_a_ledger_is_refused(bench: Bench) -> None:
    with pytest.raises(SetupError, match="no ledger"):
        bench.run("check", "--only", "live")


def test_nothing_is_written(applied: Bench) -> None:
    """The role may read and nothing else; the dump and every counter of changed rows stay the same."""
    applied.sql("GRANT pg_read_all_data TO reader")

    def state() -> tuple[str, object]:
        with psycopg.connect(applied.dsn, autocommit=True) as connection:
            xid = connection.execute("SELECT pg_current_snapshot()::text").fetchone()
        return hashlib.sha256(dump(applied.dsn, create=True, ledger=False).text.encode()).hexdigest(), xid

    before = state()
    status, text = applied.run("check", user="reader")
    assert (status, text.count("no drift")) == (0, 3)
    assert state() == before
    applied.sql("ALTER TABLE wish ADD x int", "REVOKE pg_read_all_data FROM reader")
    assert state() != before  # the control: a change shows in both


def test_what_may_not_be_read_is_said(applied: Bench) -> None:
    with pytest.raises(SetupError, match="permission denied") as caught:
        applied.run("check", "--only", "live", user="stranger")
    assert "pg_read_all_data" in str(caught.value.next_step)
    applied.sql(
        "GRANT USAGE ON SCHEMA pgrehearse TO stranger",
        "GRANT SELECT ON ALL TABLES IN SCHEMA pgrehearse TO stranger",
        "GRANT SELECT ON public.schema_migrations TO stranger",
    )
    with pytest.raises(SetupError, match="permission denied for table wish"):
        applied.run("check", "--only", "live", user="stranger")
    applied.sql(
        "CREATE SUBSCRIPTION sub CONNECTION 'host=x.example password=first' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE)",
        "GRANT pg_read_all_data TO reader",
    )
    _, text = applied.run("check", "--only", "live", user="reader")
    assert "not compared: warning: subscriptions not dumped" in text
    _, text = applied.run("check", "--only", "live")
    assert "hidden" in text and "first" not in text
    applied.sql("DROP SUBSCRIPTION sub", "REVOKE pg_read_all_data FROM reader")


def test_migrations_of_a_role_that_is_no_superuser(bench: Bench) -> None:
    bench.sql(f"ALTER DATABASE {bench.name} OWNER TO migrator")
    assert bench.run("up", user="migrator")[0] == 0
    assert parts(bench, "--only", "live")["drift"] is False
    bench.sql("ALTER TABLE wish OWNER TO stranger")
    drift = parts(bench, "--only", "live")["live"]
    assert [one["sql"] for one in drift["only_left"]] == ["ALTER TABLE public.wish OWNER TO stranger"]


def test_roles_are_plain_until_declared(applied: Bench) -> None:
    applied.sql("ALTER ROLE teller BYPASSRLS", f"ALTER DATABASE {applied.name} SET work_mem = '7MB'")
    drift = parts(applied, "--only", "live")["live"]
    assert {one["sql"] for one in drift["only_left"]} == {
        "ALTER ROLE teller BYPASSRLS",
        "ALTER DATABASE :\"DBNAME\" SET work_mem TO '7MB'",
    }
    applied.run("check", "--write-roles")
    assert parts(applied, "--only", "live")["drift"] is False
    applied.sql("ALTER ROLE teller NOBYPASSRLS", f"ALTER DATABASE {applied.name} RESET work_mem")
    assert len(parts(applied, "--only", "live")["live"]["only_right"]) == 2


def test_the_log_names_who_came_past_the_runner(applied: Bench) -> None:
    applied.run("check", "--install-log")
    applied.write("migrations/3_size.sql", "-- migrate:up\nALTER TABLE wish ADD size int;\n-- migrate:down\n")
    assert applied.run("up")[0] == 0
    assert parts(applied, "--only", "live")["drift"] is False
    applied.sql(
        "DROP INDEX wish_title_idx",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE TABLE other (a int)",
        "CREATE TABLE third (a int)",
        "DROP TABLE third",
    )
    drift = parts(applied, "--only", "live")["live"]
    assert [(one["who"], one["application"], one["statement"]) for one in drift["log"]] == [
        ("postgres", "by hand", "DROP INDEX wish_title_idx"),
        ("postgres", "by hand", "CREATE TABLE other (a int)"),
    ]
    with psycopg.connect(applied.dsn) as connection:
        logged = connection.execute("SELECT tag FROM pgrehearse.ddl ORDER BY id").fetchall()
    assert logged == [("DROP INDEX",), ("CREATE TABLE",), ("CREATE TABLE",), ("DROP TABLE",)]


def test_the_log_breaks_nothing_and_goes(applied: Bench) -> None:
    applied.run("check", "--install-log")
    applied.run("check", "--install-log")
    applied.sql("CREATE SCHEMA AUTHORIZATION stranger")
    applied.sql("CREATE TABLE theirs (a int)", user="stranger")  # who may not write the log
    applied.sql("DROP SCHEMA stranger CASCADE", "DROP TABLE pgrehearse.ddl", "CREATE TABLE other (a int)")
    applied.sql("DROP TABLE other")
    applied.run("check", "--remove-log")
    with psycopg.connect(applied.dsn) as connection:
        left = connection.execute("SELECT evtname FROM pg_event_trigger").fetchall()
    assert left == []
    assert parts(applied, "--only", "live")["drift"] is False


def test_a_migration_that_fails_on_the_scratch_server_is_named_with_its_line(applied: Bench) -> None:
    applied.sql("DROP TABLE wish", "CREATE TABLE wish (id int)")
    broken = "-- migrate:up\nCREATE TABLE a (x int);\n\nALTER TABLE nowhere ADD y int;\n-- migrate:down\n"
    applied.write("migrations/1_create_wish.sql", broken)
    with pytest.raises(DocumentError, match="nowhere") as caught:
        applied.run("check", "--only", "live")
    assert caught.value.location.endswith("1_create_wish.sql:4")


def test_a_migration_that_becomes_another_role(bench: Bench) -> None:
    """What is lent to the runner on the scratch server is taken back; the live membership is undeclared."""
    bench.sql(f"ALTER DATABASE {bench.name} OWNER TO migrator", "GRANT teller TO migrator")
    bench.sql("GRANT CREATE, USAGE ON SCHEMA public TO teller")
    third = "-- migrate:up\nSET ROLE teller;\nCREATE TABLE told (a int);\n-- migrate:down\n"
    bench.write("migrations/3_told.sql", third)
    bench.run("check", "--write-roles")
    roles = bench.folder / "db" / "roles.sql"
    declared = roles.read_text("utf-8")
    assert "GRANT teller TO migrator" in declared
    roles.write_text(declared + "GRANT CREATE, USAGE ON SCHEMA public TO teller;\n", "utf-8")
    assert bench.run("up", user="migrator")[0] == 0
    assert parts(bench, "--only", "live")["drift"] is False
    text = roles.read_text("utf-8")
    roles.write_text(
        "".join(line for line in text.splitlines(True) if "teller TO migrator" not in line), "utf-8"
    )
    drift = parts(bench, "--only", "live")["live"]
    assert [one["sql"].partition(" WITH")[0] for one in drift["only_left"]] == ["GRANT teller TO migrator"]
    assert drift["only_right"] == []
    bench.sql("DROP OWNED BY teller")


#: PostgreSQL reads each of these back from a dump otherwise than it wrote it.
READ_BACK_OTHERWISE = """-- migrate:up
CREATE TABLE device (
    id int PRIMARY KEY,
    state varchar(25) NOT NULL CONSTRAINT device_state CHECK (state IN ('on', 'off')),
    kind varchar(8) DEFAULT 'x'
);
CREATE INDEX device_live ON device (id) WHERE state IN ('on', 'off');
CREATE VIEW live_device AS SELECT id, state FROM device WHERE state IN ('on', 'off') ORDER BY id;
ALTER TABLE device ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON device USING (state IN ('on', 'off'));
CREATE TABLE reading (id int, at varchar(9) DEFAULT NULL CHECK (at IN ('a', 'b'))) PARTITION BY LIST (id);
CREATE TABLE reading_1 PARTITION OF reading FOR VALUES IN (1);
-- migrate:down
DROP TABLE reading, device CASCADE;
"""
SETTINGS = (
    "DateStyle = 'German'",
    "IntervalStyle = 'sql_standard'",
    "standard_conforming_strings = off",
    "quote_all_identifiers = on",
)
ONLY_NAMES_IT = (
    "COMMENT ON TABLE wish IS 'see TABLE public.schema_migrations'",
    'CREATE VIEW applied AS SELECT 1 AS "TABLE public.schema_migrations"',
    "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT 'EVENT TRIGGER pgrehearse_log_ddl'$$",
    "CREATE EVENT TRIGGER pgrehearse_other ON ddl_command_end EXECUTE FUNCTION note()",
)
ADDED = {
    "CREATE TABLE pgrehearse.note (a int)": "pgrehearse.note, which pgrehearse has not made",
    "CREATE FUNCTION pgrehearse.f() RETURNS int RETURN 1": (
        "function pgrehearse.f, which pgrehearse has not made"
    ),
}


def migrated(bench: Bench, text: str) -> None:
    """The migrations of the project are ``text`` alone, and they are applied."""
    for file in (bench.folder / "db" / "migrations").glob("*.sql"):
        file.unlink()
    bench.write("migrations/3_own.sql", text)
    assert bench.run("up")[0] == 0
    bench.run("check", "--write-schema")


def moved(bench: Bench) -> None:
    """The database is dropped and made again from its dump, as a change of cloud or major does it."""
    file = bench.folder / "dump.sql"
    newer = "SET transaction_timeout = 0;\n"  # pg_dump writes it for servers that do not know it
    file.write_text(dump(bench.dsn, rows=True).text.replace(newer, ""), "utf-8")
    execute(bench.server.dsn(), f"DROP DATABASE {bench.name}")
    execute(bench.server.dsn(), f"CREATE DATABASE {bench.name} TEMPLATE template0")
    status, _, said = programs.run("psql", bench.dsn, "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(file))
    assert status == 0, said
    mark(bench.dsn, "test")


def test_a_database_that_was_dumped_and_restored_is_no_drift(bench: Bench) -> None:
    migrated(bench, READ_BACK_OTHERWISE)
    before = dump(bench.dsn).text
    assert not parts(bench)["drift"]
    moved(bench)
    assert dump(bench.dsn).text != before, "nothing was read back otherwise, so nothing is tried"
    assert not parts(bench)["drift"]
    moved(bench)
    assert not parts(bench)["drift"]


def test_a_real_change_among_what_is_read_back_otherwise_is_drift(bench: Bench) -> None:
    migrated(bench, READ_BACK_OTHERWISE)
    moved(bench)
    bench.sql(
        "ALTER TABLE device DROP CONSTRAINT device_state",
        "ALTER TABLE device ADD CONSTRAINT device_state CHECK (state IN ('on', 'off', 'lost'))",
    )
    found = parts(bench, "--only", "live")["live"]
    assert {one["subject"] for one in found["only_left"]} == {"constraint device_state"}


def test_settings_of_the_database_change_no_text(bench: Bench) -> None:
    """Each is drift, for no file says it; nothing else is."""
    table = (
        "CREATE TABLE stay (\"from\" date DEFAULT '2026-02-01', many interval DEFAULT '1 day 02:03',"
        " path text DEFAULT 'a\\b' CHECK (path <> '\\'));"
    )
    migrated(bench, f"-- migrate:up\n{table}\n-- migrate:down\nDROP TABLE stay;\n")
    bench.sql(*(f"ALTER DATABASE {bench.name} SET {setting}" for setting in SETTINGS))
    found = parts(bench, "--only", "live")["live"]
    differences = [*found["only_left"], *found["only_right"]]
    assert {one["object"] for one in differences} == {"database"}
    assert len(differences) == len(SETTINGS)


def test_short_limits_of_the_database_end_no_look(applied: Bench) -> None:
    before = read(applied.dsn)
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    applied.sql(*(f"ALTER DATABASE {applied.name} SET {name} = 1" for name in limits))
    with pytest.raises(psycopg.Error):  # the negative control: they end what does not turn them off
        applied.sql("SELECT pg_sleep(1)")
    assert {one.object for one in differences(read(applied.dsn), before).only_left} == {"database"}


@pytest.mark.parametrize("statement", ONLY_NAMES_IT)
def test_what_only_names_the_ledger_is_compared(applied: Bench, statement: str) -> None:
    applied.sql("CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'")
    before = len(parts(applied, "--only", "live")["live"]["only_left"])
    applied.sql(statement)
    assert len(parts(applied, "--only", "live")["live"]["only_left"]) > before


def test_what_is_added_to_the_ledger_is_named_as_not_compared(applied: Bench) -> None:
    """And no table of ours is."""
    applied.run("check", "--install-log")
    with psycopg.connect(applied.dsn, autocommit=True) as connection:
        for name in ("runs", "backup_tables"):
            connection.execute(queries.text(name))
    assert not [note for note in parts(applied, "--only", "live")["live"]["notes"] if "compared" in note]
    applied.sql(*ADDED)
    notes = parts(applied, "--only", "live")["live"]["notes"]
    assert {f"not compared: {said}" for said in ADDED.values()} <= set(notes)


def test_what_is_shown_undoes_it(applied: Bench) -> None:
    """By ``--undo`` and psql, with roles and settings among it; then the check is clean."""
    applied.sql(
        "ALTER TABLE wish ADD CONSTRAINT short CHECK (length(title) < 9)",
        "DROP INDEX wish_title_idx",
        "GRANT DELETE ON wish TO teller",
        "ALTER ROLE teller CREATEDB",
        f"ALTER DATABASE {applied.name} SET work_mem = '8MB'",
    )
    try:
        status, text = applied.run("check", "--only", "live", "--undo", "undo.sql")
        assert status == 1
        assert "to undo it; carried out on a copy" in text
        script = Path("undo.sql").read_text("utf-8")
        assert "-- not written" not in script
        done = programs.run("psql", applied.dsn, "-X", "-1", "-v", "ON_ERROR_STOP=1", "-f", "undo.sql")
        assert done[0] == 0, done
        assert applied.run("check", "--only", "live")[0] == 0
    finally:
        applied.sql("ALTER ROLE teller NOCREATEDB")


def test_what_would_lose_rows_is_no_statement(applied: Bench) -> None:
    applied.sql("ALTER TABLE wish ADD price int", "CREATE TABLE more (a int)")
    value = json.loads(applied.run("check", "--only", "live", "--json")[1])["live"]["repair"]
    assert value["statements"] == []
    assert [(one["subject"], one["reason"]) for one in value["not_written"]] == [
        ("table", "it would lose the table and its rows"),
        ("column price", "it would lose the column and what is in it"),
    ]
    text = applied.run("check", "--only", "live", "--undo", "undo.sql")[1]
    assert "-- not written for table public.wish, column price: it would lose" in text
    script = Path("undo.sql").read_text("utf-8")
    assert all(line.startswith("--") for line in script.splitlines())


IGNORE = """
[tool.pgrehearse.drift-ignore]
"public.wish_20*" = "the nightly job makes them"
"public.wish_19*" = "it did before"
"""


def test_drift_that_is_known_is_counted_and_fails_nothing(applied: Bench) -> None:
    config = applied.folder / "pyproject.toml"
    config.write_text(config.read_text("utf-8") + IGNORE, "utf-8")
    applied.sql("CREATE TABLE wish_2027 (a int)", "COMMENT ON TABLE wish_2027 IS 'x'")
    status, text = applied.run("check", "--only", "live")
    assert status == 0, text
    assert "differences not counted, by drift-ignore 'public.wish_20*': the nightly job makes them" in text
    assert "drift-ignore 'public.wish_19*' matches nothing" in text
    applied.sql("CREATE TABLE other (a int)")
    status, text = applied.run("check", "--only", "live")
    assert status == 1
    assert "wish_2027" not in text
    assert "table public.other" in text


def test_a_clean_database_is_known_again(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a second server; each change of it, of the files or of the roles is compared anew."""
    assert applied.run("check", "--only", "live")[0] == 0
    made = []

    def counted(*words: object) -> object:
        made.append(words)
        return Scratch(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(comparisons, "Scratch", counted)
    status, text = applied.run("check", "--only", "live")
    assert (status, made) == (0, [])
    assert "live against the migrations: no drift" in text
    applied.sql("COMMENT ON TABLE wish IS 'x'")
    assert applied.run("check", "--only", "live")[0] == 1
    assert applied.run("check", "--only", "live")[0] == 1, "drift is not remembered"
    assert len(made) == 2
    applied.sql("COMMENT ON TABLE wish IS NULL")
    assert applied.run("check", "--only", "live")[0] == 0
    assert len(made) == 2
    applied.write("roles.sql", "-- nothing\n")
    assert applied.run("check", "--only", "live")[0] == 0
    assert len(made) == 3


def test_a_true_schema_file_is_known_again(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it, or a migration, is edited."""
    applied.run("check", "--write-schema")
    assert applied.run("check", "--only", "schema", database=False)[0] == 0

    def refused(*words: object, **more: object) -> object:
        raise AssertionError("it was compared again")

    with monkeypatch.context() as patch:
        patch.setattr(comparisons, "Scratch", refused)
        assert applied.run("check", "--only", "schema", database=False)[0] == 0
    text = (applied.folder / "db" / "schema.sql").read_text("utf-8")
    applied.write("schema.sql", text.replace("title text NOT NULL", "title text"))
    for _ in range(2):
        assert applied.run("check", "--only", "schema", database=False)[0] == 1
