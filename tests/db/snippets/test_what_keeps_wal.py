"""Who keeps WAL is named where it is kept, on a primary and on its standby, with what frees it there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.text.document import load
from support.faults.cluster import Replicated
from support.majors import TEST_MAJOR
from support.waiting import wait_until

ROOT = Path(__file__).parents[3]
Connection = psycopg.Connection[Any]


def query() -> str:
    """The first cell of the page that lists who keeps WAL."""
    cells = load(ROOT / "docs" / "stuck" / "disk-is-filling.md").cells
    return next(cell.source for cell in cells if "AS keeper" in cell.source).rstrip().rstrip(";")


def keepers(session: Connection) -> dict[str, str]:
    return {keeper: cure for keeper, _kept, cure in session.execute(query().encode()).fetchall()}


def test_replay_that_is_behind_is_named_where_it_keeps_wal() -> None:
    with Replicated() as pair:
        pair.execute("CREATE TABLE shop (id int)")
        with (
            psycopg.connect(pair.dsn(), autocommit=True) as primary,
            psycopg.connect(pair.standby.dsn(), autocommit=True) as standby,
        ):
            wait_until(
                lambda: standby.execute("SELECT to_regclass('shop') IS NOT NULL").fetchone() == (True,),
                "it has replayed the table",
            )
            standby.execute("SELECT pg_wal_replay_pause()")
            wait_until(
                lambda: standby.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",),
                "replay is paused",
            )
            primary.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
            primary.execute("INSERT INTO shop SELECT generate_series(1, 20000)")
            wait_until(lambda: "replay, here" in keepers(standby), "the standby has received it")
            wait_until(
                lambda: any(keeper.startswith("standby ") for keeper in keepers(primary)),
                "the standby has told how far it is",
            )
            on_primary = keepers(primary)
            assert "its own disk" in next(
                on_primary[name] for name in on_primary if name.startswith("standby ")
            )
            assert "pg_drop_replication_slot" in on_primary["slot forgotten"]
            assert "pg_wal_replay_resume" in keepers(standby)["replay, here"]

            standby.execute("SELECT pg_wal_replay_resume()")
            wait_until(lambda: "replay, here" not in keepers(standby), "it has caught up")


@pytest.mark.skipif((TEST_MAJOR or 18) < 17, reason="slots are synchronized from 17 on")
def test_a_copied_slot_is_dropped_on_the_primary() -> None:
    copied = "SELECT synced AND NOT temporary AND NOT active FROM pg_replication_slots"
    with Replicated() as pair:
        pair.execute("SELECT pg_create_physical_replication_slot('standby', true)")
        pair.execute("CREATE TABLE shop (id int)")
        for setting in (
            "hot_standby_feedback = on",
            "primary_slot_name = 'standby'",
            f"primary_conninfo = 'host={pair.folder} port=5432 user=postgres dbname=postgres'",
            "sync_replication_slots = on",
        ):
            pair.standby.execute(f"ALTER SYSTEM SET {setting}")
        pair.standby.execute("SELECT pg_reload_conf()")
        pair.execute("SELECT pg_create_logical_replication_slot('fleet', 'pgoutput', failover => true)")

        def arrived() -> bool:
            pair.execute("SELECT pg_log_standby_snapshot()")
            pair.execute("SELECT pg_replication_slot_advance('fleet', pg_current_wal_lsn())")
            return pair.standby.execute(copied) == [(True,)]

        wait_until(arrived, "the standby has copied the slot")
        with (
            psycopg.connect(pair.dsn(), autocommit=True) as primary,
            psycopg.connect(pair.standby.dsn(), autocommit=True) as standby,
        ):
            primary.execute("INSERT INTO shop SELECT generate_series(1, 20000)")
            wait_until(lambda: "slot fleet" in keepers(standby), "it keeps WAL there")
            assert keepers(standby)["slot fleet"] == "a copy of the primary's: look there"
            assert "pg_drop_replication_slot" in keepers(primary)["slot fleet"]
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
                standby.execute("SELECT pg_drop_replication_slot('fleet')")
