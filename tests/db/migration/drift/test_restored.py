"""A database that was dumped and restored, or that has settings of its own, differs in words only."""

from __future__ import annotations

import psycopg
import pytest

from pgrehearse import queries
from pgrehearse.schema import client_programs, differences, read
from pgrehearse.schema.dump import dump
from support.databases import execute, mark

from .bench import Bench, parts

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
    status, _, said = client_programs.run("psql", bench.dsn, "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(file))
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
    with psycopg.connect(bench.dsn) as session:
        refuses = session.info.server_version >= 190000  # that setting, since then
    settings = [one for one in SETTINGS if not (refuses and one.startswith("standard_conforming_strings"))]
    bench.sql(*(f"ALTER DATABASE {bench.name} SET {setting}" for setting in settings))
    found = parts(bench, "--only", "live")["live"]
    differences = [*found["only_left"], *found["only_right"]]
    assert {one["object"] for one in differences} == {"database"}
    assert len(differences) == len(settings)


def test_short_limits_of_the_database_end_no_look(applied: Bench) -> None:
    before = read(applied.dsn)
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    applied.sql(*(f"ALTER DATABASE {applied.name} SET {name} = 1" for name in limits))
    with pytest.raises(psycopg.Error):  # the negative control: they end what does not turn them off
        applied.sql("SELECT pg_sleep(1)")
    assert {one.object for one in differences(read(applied.dsn), before).only_left} == {"database"}


def test_what_only_names_the_ledger_is_compared(applied: Bench) -> None:
    """One after the other: what a look finds is what the next one has to find one more of."""
    applied.sql("CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'")
    before = len(parts(applied, "--only", "live")["live"]["only_left"])
    for statement in ONLY_NAMES_IT:
        applied.sql(statement)
        after = len(parts(applied, "--only", "live")["live"]["only_left"])
        assert after > before, statement
        before = after


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
