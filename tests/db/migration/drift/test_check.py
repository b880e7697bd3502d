"""``pgrehearse db check`` on a project of its own: what it compares, what it says, what it leaves alone."""

from __future__ import annotations

import hashlib
import json

import psycopg
import pytest

from pgrehearse.errors import SetupError
from pgrehearse.schema.dump import dump

from .bench import FIRST, Bench, parts


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
