"""On a standby the replay of the primary's changes stands in the way: the query to paste says so."""

from __future__ import annotations

from pathlib import Path

import psycopg

from support.faults.cluster import Replicated
from support.waiting import wait_until

WHO = (Path(__file__).parents[3] / "snippets" / "sql" / "who-is-in-the-way.sql").read_text("utf-8")


def test_replay_is_told_from_what_a_role_may_not_see() -> None:
    with Replicated() as pair:
        pair.execute("CREATE TABLE shop (id int)")
        standby = pair.standby.dsn()
        with (
            psycopg.connect(pair.dsn()) as ddl,
            psycopg.connect(standby, autocommit=True) as reader,
            psycopg.connect(standby, autocommit=True) as look,
        ):
            wait_until(
                lambda: look.execute("SELECT to_regclass('shop') IS NOT NULL").fetchone() == (True,),
                "it has replayed the table",
            )
            ddl.execute("ALTER TABLE shop ADD COLUMN name text")
            held = (
                "SELECT count(*) FROM pg_locks"
                " WHERE mode = 'AccessExclusiveLock' AND relation = 'shop'::regclass"
            )
            with psycopg.connect(pair.dsn(), autocommit=True) as other:
                other.execute("CHECKPOINT")  # its records leave the primary before the commit does
            wait_until(lambda: look.execute(held).fetchone() == (1,), "replay holds the lock")
            reader.pgconn.send_query(b"SELECT * FROM shop")
            wait_until(lambda: bool(look.execute(WHO.encode()).fetchall()), "the reader waits")
            ((pid, behind, kind, cure, *_),) = look.execute(WHO.encode()).fetchall()
            assert (behind, kind) == (1, "replay")
            assert cure == "end the change on the primary"
            assert pid > 0
            ddl.commit()
            while reader.pgconn.get_result():
                pass
