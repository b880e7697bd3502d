"""A standby that replays slowly keeps WAL on its own disk: the query to paste says where, on both servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from pgrehearse.text.document import load
from support.faults.cluster import Replicated
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
