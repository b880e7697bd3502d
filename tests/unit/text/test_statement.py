"""What a statement is, in every spelling PostgreSQL takes, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgrehearse.text.split import split, tokens
from pgrehearse.text.statement import Control, classify, code, generated

DETERMINISTIC = settings(derandomize=True, database=None, deadline=None, max_examples=150)

OF_THE_SESSION = [
    "SET lock_timeout = 0",
    'SET "lock_timeout" TO 0',
    "SET SESSION work_mem='8MB'",
    "SET TIME ZONE 'UTC'",
    "SET ROLE migrator",
    "SET SESSION AUTHORIZATION migrator",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "RESET ALL",
    "RESET SESSION AUTHORIZATION",
    "DISCARD PLANS",
    "SELECT set_config('a.b', '1', false)",
    "SELECT pg_catalog.set_config('a.b', '1', false)",
    "SELECT pg_catalog.\"set_config\" ('a.b', $$1$$, 'f') AS \"now\"",
    "SELECT 1 AS one, set_config('search_path', current_setting('search_path') || ', app', 0::bool)",
    "PREPARE one AS SELECT 1",
    "DEALLOCATE one",
    "LOAD 'auto_explain'",
    "LISTEN ready",
    "DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT 1",
    "CREATE TEMP TABLE t (n int)",
    "CREATE OR REPLACE LOCAL TEMPORARY VIEW v AS SELECT 1",
    "CREATE TABLE IF NOT EXISTS pg_temp.t (n int)",
    'CREATE VIEW "pg_temp".v AS SELECT 1',
    "CREATE OR REPLACE FUNCTION pg_temp . f() RETURNS int RETURN 1",
    "CREATE PROCEDURE pg_temp.p() BEGIN ATOMIC SELECT 1; END",
    "SELECT 1 AS n INTO TEMP t",
    "SELECT pg_advisory_lock(hashtext('x'))",
    "SELECT pg_catalog.pg_try_advisory_lock_shared(1, 2)",
    "SELECT pg_advisory_unlock(1)",
]
NOT_OF_THE_SESSION = [
    "SET LOCAL lock_timeout = 0",
    "SET CONSTRAINTS ALL DEFERRED",
    "SET TRANSACTION READ ONLY",
    "SELECT set_config('a.b', '1', true)",
    "SELECT set_config('a.b', '1', 'on'::bool)",
    "SELECT set_config('a.b', '1', false), fill_a_batch()",
    "SELECT 'set_config(1, 2, false)'",
    "SELECT app.set_config('a.b', '1', false)",
    "SELECT pg_advisory_xact_lock(1)",
    "INSERT INTO t SELECT set_config('a.b', '1', false)",
    "PREPARE TRANSACTION 'x'",
    "DECLARE c CURSOR FOR SELECT 1",
    "CREATE TABLE t AS SELECT * FROM pg_temp.t",
    "CREATE TABLE temp (n int)",
    "SELECT 1 AS n INTO t",
    "UPDATE t SET n = 1",
    "ALTER DATABASE d SET lock_timeout = 0",
]


@pytest.mark.parametrize("sql", OF_THE_SESSION)
def test_what_ends_with_the_session(sql: str) -> None:
    assert classify(sql).of_the_session


@pytest.mark.parametrize("sql", NOT_OF_THE_SESSION)
def test_what_does_not_end_with_the_session(sql: str) -> None:
    assert not classify(sql).of_the_session


@pytest.mark.parametrize(
    ("sql", "control"),
    [
        ("BEGIN", Control.OPENS),
        ("begin isolation level serializable", Control.OPENS),
        ("START TRANSACTION READ ONLY", Control.OPENS),
        ("COMMIT WORK", Control.CLOSES),
        ("END", Control.CLOSES),
        ("PREPARE TRANSACTION 'x'", Control.CLOSES),
        ("ROLLBACK", Control.GIVES_UP),
        ("ABORT WORK", Control.GIVES_UP),
        ("ROLLBACK TRANSACTION TO SAVEPOINT a", Control.WITHIN),
        ("ROLLBACK TO a", Control.WITHIN),
        ("SAVEPOINT a", Control.WITHIN),
        ("RELEASE a", Control.WITHIN),
        ("PREPARE transaction_of AS SELECT 1", None),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END", None),
        ('"BEGIN"', None),
        ("'BEGIN'", None),
    ],
)
def test_what_it_does_to_the_transaction(sql: str, control: Control | None) -> None:
    assert classify(sql).control is control


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE UNIQUE INDEX CONCURRENTLY i ON t (n)",
        "DROP INDEX CONCURRENTLY i",
        "REINDEX INDEX CONCURRENTLY i",
        "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
        "REINDEX (VERBOSE) SCHEMA s",
        "VACUUM t",
        "CLUSTER",
        "CLUSTER (VERBOSE)",
        "REPACK",
        "REPACK (VERBOSE, CONCURRENTLY) t",
        "ALTER TABLE p DETACH PARTITION c CONCURRENTLY",
        "ALTER SYSTEM SET work_mem = '8MB'",
        "ALTER DATABASE d SET TABLESPACE s",
        "CREATE DATABASE d",
        "DISCARD ALL",
        "COMMIT PREPARED 'x'",
    ],
)
def test_what_refuses_a_transaction(sql: str) -> None:
    assert classify(sql).alone
    assert classify(sql.lower().replace(" ", "\n/* */ ")).alone


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX i ON t (n)",
        "REINDEX TABLE t",
        "REINDEX (CONCURRENTLY false) TABLE t",
        "CLUSTER t USING i",
        "REPACK t",
        "REPACK (VERBOSE) t USING INDEX i",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "ALTER TABLE p DETACH PARTITION c",
        "ALTER DATABASE d SET work_mem = '8MB'",
        "COMMENT ON TABLE t IS 'VACUUM it CONCURRENTLY'",
        "DISCARD PLANS",
    ],
)
def test_what_takes_a_transaction(sql: str) -> None:
    assert not classify(sql).alone


@pytest.mark.parametrize(
    ("sql", "ddl"),
    [
        ("ALTER TABLE t ADD n int", True),
        ("/* hint */ CREATE INDEX i ON t (n)", True),
        ("VACUUM t", True),
        ("TRUNCATE t", True),
        ("COMMENT ON COLUMN t.n IS 'x'", True),
        ("CREATE FUNCTION f() RETURNS int RETURN 1", False),
        ("CREATE TEMP TABLE t (n int)", False),
        ("CREATE ROLE r", False),
        ("COMMENT ON DATABASE d IS 'x'", False),
        ("ALTER SYSTEM SET work_mem = '8MB'", False),
        ("SELECT 'CREATE INDEX i'", False),
        ("INSERT INTO t VALUES (1)", False),
    ],
)
def test_ddl(sql: str, ddl: bool) -> None:
    assert classify(sql).ddl is ddl


@pytest.mark.parametrize("sql", ["CREATE DATABASE d", "ALTER SYSTEM RESET ALL", "DROP SUBSCRIPTION s"])
def test_what_acts_beyond_its_database(sql: str) -> None:
    assert classify(sql).outside
    assert not classify(sql.replace("DATABASE", "TABLE").replace("SYSTEM", "TABLE")).outside or "SUB" in sql


def test_what_gives_up_every_lock() -> None:
    assert classify("DISCARD ALL").unlocks
    assert classify("DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$").unlocks
    assert not classify("SELECT pg_advisory_unlock(1) -- not pg_advisory_unlock_all").unlocks


def test_statements_in_constants() -> None:
    [statement] = split("SELECT format('CREATE INDEX %I ON t (n) WHERE ' || 'x', 'DELETE') \\gexec")
    assert [kind.ddl for kind in generated(statement)] == [True]
    [statement] = split("SELECT 'DELETE FROM t WHERE s = ''' || s || '''' FROM u")
    assert [kind.changes_rows for kind in generated(statement)] == [True]


def test_an_insert_of_megabytes_is_not_read_to_its_end() -> None:
    assert classify("INSERT INTO t VALUES " + "(1), " * 100_000 + "('not closed").changes_rows


def test_on_one_line() -> None:
    assert code("/* a */ ALTER\n TABLE  \"T t\" -- b\n ADD É int DEFAULT 'X'") == (
        "alter table \"\" add É int default ''"
    )


GAPS = st.sampled_from([" ", "\n", "\t\r\n", "/* a ' ; */", " -- b ' ;\n", "\f/* /* */ */"])


@given(st.sampled_from(OF_THE_SESSION + NOT_OF_THE_SESSION), GAPS, GAPS, st.booleans())
@DETERMINISTIC
def test_blanks_comments_and_case_change_nothing(sql: str, before: str, gap: str, upper: bool) -> None:
    parts = []
    for token in tokens(sql):
        text = gap if token.kind == "space" else token.text
        parts.append(text.swapcase() if token.kind == "word" and upper else text)
    spelled, kind = classify(before + "".join(parts)), classify(sql)
    assert spelled == kind


@given(st.text())
@DETERMINISTIC
def test_a_constant_is_never_taken_for_a_command(text: str) -> None:
    literal = "'" + text.replace("'", "''") + "'"
    kind = classify(f"SELECT {literal}")
    assert not (kind.of_the_session or kind.control or kind.alone or kind.changes_rows or kind.settings)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO pg_temp.t VALUES (1), (2)",
        "/* rows */ insert into PG_TEMP . t (n) SELECT n FROM public.t LIMIT 100",
        'INSERT INTO "pg_temp".t VALUES (1)',
        "UPDATE ONLY pg_temp.t SET n = 1, m = 2",
        "DELETE FROM pg_temp.t",
        "TRUNCATE pg_temp.t",
        "TRUNCATE TABLE ONLY pg_temp.t RESTART IDENTITY",
    ],
)
def test_rows_of_a_temporary_table_end_with_the_session(sql: str) -> None:
    found = classify(sql)
    assert found.of_temporary
    assert not found.temporary
    assert found.changes_rows


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO pg_temp.t WITH gone AS (DELETE FROM t RETURNING n) SELECT n FROM gone",
        "INSERT INTO t SELECT n FROM pg_temp.t",
        "INSERT INTO pg_temp VALUES (1)",
        "UPDATE t SET n = 1 FROM pg_temp.t",
        'DELETE FROM "PG_TEMP".t',
        "TRUNCATE pg_temp.t, t",
        "DELETE FROM my_pg_temp.t",
    ],
)
def test_rows_of_another_table_do_not(sql: str) -> None:
    assert not classify(sql).of_temporary
    assert classify(sql).changes_rows


@pytest.mark.parametrize(
    ("sql", "outside"),
    [
        ("COPY t FROM PROGRAM 'ls'", True),
        ("copy s.t (a, b) to /* x */ program 'cat'", True),
        ("COPY (SELECT 1) TO '/tmp/x'", True),
        ("COPY t TO $$/tmp/x$$ WITH (FORMAT csv)", True),
        ("COPY t TO STDOUT", False),
        ("COPY t FROM STDIN", False),
        ("COPY t FROM '/tmp/x'", False),
        ('COPY "to program" FROM STDIN', False),
        ("COPY program FROM STDIN", False),
    ],
)
def test_a_copy_beyond_the_database(sql: str, outside: bool) -> None:
    assert classify(sql).outside is outside
    assert classify(sql).called == "COPY"
