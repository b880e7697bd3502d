"""``pgrehearse xray``: each statement measured on the state the earlier ones left."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.bench import Bench
from support.databases import Database

SCHEMA = """\
SET search_path = '';
CREATE TABLE public.things (id bigint PRIMARY KEY, name text, n int);
ALTER TABLE public.things OWNER TO somebody;
"""
SEED = "INSERT INTO public.things SELECT n, n, n FROM generate_series(1, :'rows'::int) AS n;\n"


@pytest.fixture
def things(bench: Bench) -> Bench:
    bench.write("schema.sql", SCHEMA)
    bench.write("seed.sql", SEED)
    return bench


def xray(bench: Bench, text: str, *options: str) -> dict[str, Any]:
    bench.write("change.sql", text)
    ended = bench.call("xray", "change.sql", "--schema", "schema.sql", "--json", *options)
    assert ended.status == 0, ended.err
    value = json.loads(ended.out)
    assert isinstance(value, dict)
    return value


def test_each_statement_on_the_state_the_earlier_ones_left(things: Bench) -> None:
    text = """\
ALTER TABLE things ADD COLUMN note text;
CREATE INDEX CONCURRENTLY things_note ON things (note);
BEGIN;
ALTER TABLE things ADD CONSTRAINT c CHECK (n > 0) NOT VALID;
ALTER TABLE things VALIDATE CONSTRAINT c;
COMMIT;
DROP INDEX things_note;
"""
    found = xray(things, text, "--seed", "seed.sql")
    add, build, _, check, validate, _, drop = found["statements"]
    assert add["facts"]["locks"] == {"things": "ACCESS EXCLUSIVE"}
    assert build["facts"]["locks"] == {"things": "SHARE UPDATE EXCLUSIVE"}
    assert (build["facts"]["transactional"], build["waits"], build["advice"]) == (False, {}, None)
    assert (check["transaction"], validate["transaction"], drop["transaction"]) == (1, 1, None)
    # By itself it blocks nobody; in this transaction the lock of the statement before it is still held.
    assert validate["facts"]["waiting"] == {"things": []}
    assert "SELECT" in validate["waits"]["things"]
    assert "scan" in validate["breaks"]
    assert drop["advice"] == "runbooks/index-drop"
    assert found["notes"] == ['schema.sql:3: role "somebody" does not exist']


def test_tables_without_rows_are_named(things: Bench) -> None:
    found = xray(things, "ALTER TABLE things ALTER n SET NOT NULL;")
    assert any("without rows: things" in note for note in found["notes"])
    assert found["statements"][0]["facts"]["scans"] == ["things"]
    filled = xray(things, "ALTER TABLE things ALTER n SET NOT NULL;", "--seed", "seed.sql")
    assert not any("without rows" in note for note in filled["notes"])


def test_a_table_for_people(things: Bench) -> None:
    things.write("change.sql", "ALTER TABLE things ALTER n TYPE bigint;\nUPDATE things SET name = 'x';\n")
    ended = things.call("xray", "change.sql", "--schema", "schema.sql", "--seed", "seed.sql")
    assert ended.status == 0
    head, _, first = ended.out.splitlines()[:3]
    assert head.split() == ["line", "statement", "locks", "rewrite", "scans", "who", "waits", "safe", "way"]
    assert first.split()[:3] == ["1", "ALTER", "TABLE"]
    assert "reads and writes on things" in ended.out
    assert "and 1 index" in ended.out
    assert "runbooks/backfill-in-batches" in ended.out


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("ALTER TABLE things ALTER n TYPE bigint", ["rewrite", "scan", "blocks-reads", "blocks-writes"]),
        ("CREATE INDEX ON things (n)", ["scan", "blocks-writes"]),
        ("ALTER TABLE things ADD COLUMN a int", ["blocks-reads", "blocks-writes"]),
        ("CREATE INDEX CONCURRENTLY ON things (n)", []),
        ("CREATE TABLE made (id int PRIMARY KEY); CREATE INDEX ON made (id); TRUNCATE made", []),
    ],
)
def test_the_exit_status_follows_the_policy(things: Bench, statement: str, broken: list[str]) -> None:
    things.write("change.sql", statement)
    every = "rewrite,scan,blocks-reads,blocks-writes"
    ended = things.call(
        "xray", "change.sql", "--schema", "schema.sql", "--seed", "seed.sql", "--fail-on", every
    )
    assert ended.status == (1 if broken else 0)
    assert [line.split(": ")[1].split(" ")[0] for line in ended.err.splitlines()] == broken
    assert things.call("xray", "change.sql", "--schema", "schema.sql").status == 0


def test_a_dbmate_file_runs_its_up_part_as_one_transaction(things: Bench) -> None:
    down = "-- migrate:down\nDROP TABLE nothing;\n"
    text = f"-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON things (n);\n\n{down}"
    assert [row["line"] for row in xray(things, text)["statements"]] == [2]
    things.write(
        "change.sql", f"-- migrate:up\nSELECT 1;\nCREATE INDEX CONCURRENTLY i ON things (n);\n{down}"
    )
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert ended.status == 65
    assert (
        "change.sql:3: CREATE INDEX CONCURRENTLY cannot run inside a transaction block (25001)" in ended.err
    )


def test_what_fails_only_together_is_found(things: Bench) -> None:
    things.write("schema.sql", SCHEMA + "CREATE TYPE public.kind AS ENUM ('a');\n")
    text = "BEGIN;\nALTER TYPE kind ADD VALUE 'b';\nSELECT 'b'::kind;\nCOMMIT;\nSELECT 2;\n"
    things.write("change.sql", text)
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert ended.status == 65
    assert "change.sql:3: unsafe use of new value" in ended.err
    assert ended.out.count("not measured") == 2
    things.write("change.sql", text.replace("BEGIN;", "").replace("COMMIT;", ""))
    assert things.call("xray", "change.sql", "--schema", "schema.sql").status == 0


def test_the_projects_own_migrations(bench: Bench) -> None:
    bench.write("db/migrations/1_a.sql", "-- migrate:up\nCREATE TABLE a (n int);\n")
    second = bench.write("db/migrations/2_b.sql", "-- migrate:up\nALTER TABLE a ADD COLUMN m int;\n")
    bench.write("db/seed.sql", "INSERT INTO a (n, m) VALUES (1, 1);\n")
    ended = bench.call("xray", str(second), "--json")
    assert ended.status == 0, ended.err
    assert json.loads(ended.out)["statements"][0]["facts"]["locks"] == {"a": "ACCESS EXCLUSIVE"}
    bench.write("next.sql", "ALTER TABLE a ALTER m SET NOT NULL;\n")
    ended = bench.call("xray", "next.sql", "--json")
    assert ended.status == 0, ended.err
    assert json.loads(ended.out)["notes"] == []


def test_roles_that_the_project_declares_are_there(bench: Bench) -> None:
    """Also for one of its own migrations, measured on a copy of those before it."""
    bench.write("db/roles.sql", "CREATE ROLE declared_here NOLOGIN;")
    first = "CREATE TABLE a (n int);\nGRANT SELECT ON a TO declared_here;\n"
    bench.write("db/migrations/1_a.sql", f"-- migrate:up\n{first}")
    second = bench.write("db/migrations/2_b.sql", "-- migrate:up\nALTER TABLE a ADD COLUMN m int;\n")
    ended = bench.call("xray", str(second), "--json")
    assert ended.status == 0, ended.err


def test_a_database_is_dumped_and_left_as_it_is(bench: Bench, plain: Database) -> None:
    plain.mark("production")
    plain.execute("CREATE TABLE t (n int)")
    plain.execute("INSERT INTO t VALUES (1)")
    bench.write("change.sql", "DROP TABLE t;\n")
    ended = bench.call("xray", "change.sql", "--dsn", plain.dsn, "--json")
    assert ended.status == 0, ended.err
    assert json.loads(ended.out)["statements"][0]["facts"]["locks"]["t"] == "ACCESS EXCLUSIVE"
    assert plain.execute("SELECT n FROM t") == [(1,)]


def test_the_table_says_how_long_people_wait(things: Bench) -> None:
    text = """\
/* A comment above the statement
   is not the statement. */
ALTER TABLE things ADD COLUMN note text;
CREATE INDEX things_note ON things (note);
ALTER TABLE things ALTER COLUMN n TYPE bigint;
BEGIN;
ALTER TABLE things ADD COLUMN other text;
COMMIT;
"""
    things.write("change.sql", text)
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert ended.status == 0, ended.err
    said = {line.split()[0]: line for line in ended.out.splitlines() if line[:1].isdigit()}
    words = ended.out.split()
    assert "ALTER TABLE things ADD COLUMN note" in said["3"]
    # "who waits" is wrapped: its last words tell for a moment, read whole, rewritten, the transaction ends
    assert [words.count(last) for last in ("moment", "whole", "rewritten", "ends")] == [1, 1, 1, 1]


def test_who_meets_the_cut_of_an_empty_end_is_said(things: Bench) -> None:
    """VACUUM takes that lock where it is free, so no request waited for it. Nobody uses a new table."""
    gone = (
        "INSERT INTO {0} SELECT n, repeat('x', 500), n FROM generate_series(1000, 4000) n; DELETE FROM {0};"
    )
    text = "CREATE TABLE made (id int, name text, n int);\n"
    text += "".join(f"{gone.format(name)} VACUUM {name};\n" for name in ("things", "made"))
    found = xray(things, text)["statements"]
    cuts = [row for row in found if row["statement"].startswith("VACUUM")]
    assert [(row["once_unused"], row["waits"], row["breaks"]) for row in cuts] == [
        (["things"], {}, []),
        ([], {}, []),
    ]
    assert [set(row["facts"]["locks"].values()) for row in cuts] == [{"ACCESS EXCLUSIVE"}] * 2
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert "readers and writers of things, for a moment" in " ".join(ended.out.split())
    assert "of made, for a moment" not in " ".join(ended.out.split())


@pytest.mark.parametrize("written", ["", "\n", "-- nothing to do\n"])
def test_an_input_without_a_statement_is_not_harmless(things: Bench, written: str) -> None:
    """A tool that failed before the pipe wrote it; one that had nothing to do writes BEGIN and COMMIT."""
    things.write("change.sql", written)
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert (ended.status, "no statement is in it" in ended.err) == (65, True)
    things.write("change.sql", f"{written}BEGIN;\nCOMMIT;\n")
    assert things.call("xray", "change.sql", "--schema", "schema.sql").status == 0


def test_what_cannot_be_measured_is_said(things: Bench) -> None:
    assert things.call("xray", "none.sql").status == 65
    things.write("change.sql", "SELECT 1;\nALTER TABLE nothing ADD n int;\nSELECT 2;\n")
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert ended.status == 65
    assert 'change.sql:2: relation "nothing" does not exist (42P01)' in ended.err
    things.write("change.sql", "SELECT 'x;\n")
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert (ended.status, "change.sql:1: unterminated quote" in ended.err) == (65, True)
    things.write("change.sql", "CREATE DATABASE elsewhere;\n")
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert (ended.status, "CREATE DATABASE acts beyond its database" in ended.err) == (65, True)


def test_a_schema_that_cannot_be_loaded_is_refused(things: Bench) -> None:
    things.write("change.sql", "SELECT 1;\n")
    assert things.call("xray", "change.sql", "--schema", "none.sql").status == 65
    things.write("schema.sql", "CREATE TABLE t (n int);\nCREATE TABLE t (n int);\n")
    ended = things.call("xray", "change.sql", "--schema", "schema.sql")
    assert ended.status == 65
    assert 'schema.sql:2: relation "t" already exists' in ended.err
    assert things.call("xray", "change.sql", "--schema", "schema.sql", "--fail-on", "locks").status == 2
    assert things.call("xray", "change.sql", "--schema", "schema.sql", "--dsn", "dbname=x").status == 2


def test_a_database_that_cannot_be_reached_shows_no_password(things: Bench) -> None:
    things.write("change.sql", "SELECT 1;\n")
    for dsn in ("postgresql://u:hunter2@127.0.0.1:1/x", "postgresql://u:hun ter2@127.0.0.1:1/x="):
        ended = things.call("xray", "change.sql", "--dsn", dsn)
        assert ended.status == 69
        assert "hun" not in ended.out + ended.err


TOGETHER = {
    "a temporary table": "CREATE TEMP TABLE map (id int) ON COMMIT DROP;\nINSERT INTO map VALUES (1);\n"
    "UPDATE things SET n = 1 FROM map WHERE map.id = things.id;\n",
    "a function of pg_temp": "CREATE FUNCTION pg_temp.f(a int) RETURNS int LANGUAGE sql AS 'SELECT a';\n"
    "UPDATE things SET n = pg_temp.f(n) WHERE id = 1;\n",
    "a path for the transaction": "SET LOCAL search_path = shop;\nALTER TABLE item ADD a int;\n"
    "ALTER TABLE item ADD b int;\n",
    "a path by a function": "SELECT set_config('search_path', 'shop', true);\nALTER TABLE item ADD a int;\n"
    "ALTER TABLE item ADD b int;\n",
    "a prepared statement": "PREPARE p AS UPDATE things SET n = 2 WHERE id = $1;\nEXECUTE p(1);\n",
    "a cursor": "DECLARE c CURSOR FOR SELECT id FROM things;\nFETCH 1 FROM c;\nCLOSE c;\n",
    "a savepoint": "SAVEPOINT s;\nALTER TABLE things ADD c int;\n"
    "ROLLBACK TO s;\nALTER TABLE things ADD c text;\n",
    "its own kind": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nALTER TABLE things ADD c int;\n",
    "a deferred rule": "SET CONSTRAINTS ALL DEFERRED;\nALTER TABLE things ADD c int;\n",
    "an advisory lock": "SELECT pg_advisory_xact_lock(1);\nALTER TABLE things ADD c int;\n",
}


@pytest.mark.parametrize("text", TOGETHER.values(), ids=TOGETHER.keys())
def test_statements_are_measured_in_their_transaction(things: Bench, text: str) -> None:
    things.write("schema.sql", SCHEMA + "CREATE SCHEMA shop;\nCREATE TABLE shop.item (n int);\n")
    found = xray(things, f"BEGIN;\n{text}COMMIT;\nALTER TABLE things ADD last int;\n", "--seed", "seed.sql")
    assert [row["error"] for row in found["statements"]] == [None] * len(found["statements"])
    assert found["statements"][-1]["facts"]["locks"] == {"things": "ACCESS EXCLUSIVE"}
    *_, changing, _, _ = found["statements"]
    if "ADD" in changing["statement"]:
        assert "ACCESS EXCLUSIVE" in changing["facts"]["locks"].values()


def test_what_a_savepoint_takes_back_is_gone(things: Bench) -> None:
    text = (
        "BEGIN;\nSAVEPOINT s;\nDROP TABLE things;\nROLLBACK TO s;\nCOMMIT;\nALTER TABLE things ADD c int;\n"
    )
    found = xray(things, text)
    assert found["statements"][2]["facts"]["locks"]["things"] == "ACCESS EXCLUSIVE"
    assert found["statements"][-1]["facts"]["locks"] == {"things": "ACCESS EXCLUSIVE"}


def test_a_table_that_is_renamed_is_still_the_one_that_was_there(things: Bench) -> None:
    found = xray(
        things,
        "ALTER TABLE things RENAME TO items;\nALTER TABLE items ADD c uuid DEFAULT gen_random_uuid();\n",
    )
    assert "rewrite" in found["statements"][1]["breaks"]


def test_a_key_that_takes_over_an_index_rewrites_nothing(things: Bench) -> None:
    text = """\
CREATE UNIQUE INDEX CONCURRENTLY things_new ON things (id);
ALTER TABLE things DROP CONSTRAINT things_pkey, ADD CONSTRAINT things_pkey PRIMARY KEY USING INDEX things_new;
"""
    found = xray(things, text, "--seed", "seed.sql")
    assert "rewrite" not in found["statements"][1]["breaks"]


VIEWS = """
CREATE MATERIALIZED VIEW public.each AS SELECT n, count(*) FROM public.things GROUP BY n WITH NO DATA;
CREATE UNIQUE INDEX each_n ON public.each (n);
CREATE MATERIALIZED VIEW public.all_of AS SELECT count(*) FROM public.each WITH NO DATA;
"""


@pytest.mark.parametrize(
    "text",
    [
        "REFRESH MATERIALIZED VIEW CONCURRENTLY each;",
        "REFRESH MATERIALIZED VIEW each;",
        "CREATE TABLE best AS SELECT * FROM all_of;",
        "REFRESH MATERIALIZED VIEW each WITH NO DATA; REFRESH MATERIALIZED VIEW each;",
    ],
)
def test_materialized_views_of_a_dump_hold_rows(things: Bench, text: str) -> None:
    things.write("schema.sql", SCHEMA + VIEWS)
    for options in ([], ["--seed", "seed.sql"]):
        assert {row["error"] for row in xray(things, text, *options)["statements"]} == {None}


def test_an_index_of_a_partitioned_table_has_a_page_of_its_own(things: Bench) -> None:
    things.write("schema.sql", SCHEMA + "CREATE TABLE public.p (n int) PARTITION BY RANGE (n);\n")
    for text in (
        "CREATE INDEX ON p (n);",
        "ALTER TABLE p ADD UNIQUE (n);",
        "ALTER TABLE p ADD PRIMARY KEY (n);",
    ):
        assert xray(things, text)["statements"][0]["advice"] == "runbooks/index-partitioned"


@pytest.mark.parametrize(("zone", "rewritten"), [("Europe/Berlin", True), ("UTC", False)])
def test_the_time_zone_is_that_of_the_database(
    bench: Bench, plain: Database, zone: str, *, rewritten: bool
) -> None:
    plain.execute("CREATE TABLE visit (seen timestamp)")
    plain.execute(f"ALTER DATABASE {plain.name} SET timezone = '{zone}'")
    bench.write("change.sql", "ALTER TABLE visit ALTER seen TYPE timestamptz;\n")
    found = json.loads(bench.call("xray", "change.sql", "--dsn", plain.dsn, "--json").out)
    assert ("rewrite" in found["statements"][0]["breaks"]) is rewritten
    assert not any("time zone" in note for note in found["notes"])


def test_a_time_zone_that_nobody_told_is_named(things: Bench) -> None:
    found = xray(
        things, "ALTER TABLE things ADD t timestamp;\nALTER TABLE things ALTER t TYPE timestamptz;\n"
    )
    assert any("the time zone is taken to be UTC" in note for note in found["notes"])
    assert not any(
        "time zone" in note for note in xray(things, "ALTER TABLE things ADD t timestamp;")["notes"]
    )


def test_the_down_part_of_another_tool_is_not_looked_at(things: Bench) -> None:
    text = "-- +goose Up\nALTER TABLE things ADD c int;\n-- +goose Down\nDROP TABLE things;\n"
    assert [row["statement"] for row in xray(things, text)["statements"]] == ["ALTER TABLE things ADD c int"]


def test_what_a_function_did_not_do_here_is_said(things: Bench) -> None:
    text = """\
CREATE FUNCTION f(most int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM things) > most THEN ALTER TABLE things ADD note text; END IF;
END $$;
SELECT f(1000000000);
SELECT f(-1);
"""
    found = xray(things, text)
    (said,) = [note for note in found["notes"] if "is not known" in note]
    assert said == "line 5: ALTER TABLE in f() did not run here, or was undone, so what it does is not known"
    assert [len(row["not_seen"]) for row in found["statements"]] == [0, 1, 0]
