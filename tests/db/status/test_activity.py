"""What is under way in a database: changes, who waits for them, what holds the next one up."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg
import pytest

from pgrehearse.execution.exclusion import RUNNER
from pgrehearse.status import activity
from support.databases import Owned, execute
from support.snapshots import Seen, known
from support.waiting import wait_until


def test_a_runner_that_is_gone(seen: Seen, owned: Owned) -> None:
    seen.migration(1, "SELECT 1;")
    seen.up()
    execute(
        owned.admin,
        "INSERT INTO pgrehearse.attempt (version, name, direction, sha256) VALUES ('2', 'step', 'up', '')",
    )
    assert seen.said("last") == ["2_step up was not finished, 1 try: its runner is gone"]
    with psycopg.connect(owned.admin, autocommit=True) as runner:
        runner.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER)
        assert known(seen.fact("last")).ran[0].outcome == "running"
        assert seen.said("last") == []


def test_a_change_under_way_and_who_waits(seen: Seen, owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(owned.admin, "CREATE TABLE shop (id int)")
    with (
        psycopg.connect(owned.admin, autocommit=True, application_name="pgrehearse db up") as change,
        psycopg.connect(owned.admin, autocommit=True, application_name="shop") as other,
    ):
        change.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER)
        change.execute("BEGIN")
        change.execute("LOCK TABLE shop")
        reader = threading.Thread(target=other.execute, args=["SELECT * FROM shop /* secret */"])
        reader.start()
        try:
            wait_until(lambda: bool(known(seen.fact("now")).waiting), "the reader waits")
            value = known(seen.fact("now"))
            (one,) = value.changes
            assert (one.kind, one.pid, one.application) == (
                "migration",
                change.info.backend_pid,
                "pgrehearse db up",
            )
            (waiting,) = value.waiting
            assert waiting.blockers == (change.info.backend_pid,)
            assert (waiting.relation, waiting.mode, waiting.statement) == (
                "public.shop",
                "AccessShareLock",
                "SELECT",
            )
            (blocker,) = value.blockers
            assert (blocker.state, blocker.statement) == ("idle in transaction", "LOCK TABLE")
            monkeypatch.setattr(activity, "_PATIENCE", timedelta(hours=1))
            assert seen.said("now") == []
            monkeypatch.setattr(activity, "_PATIENCE", timedelta())
            (said,) = seen.said("now")
            assert "waits for public.shop for " in said
            assert f"behind pid {change.info.backend_pid}" in said
            end = f"SELECT pg_terminate_backend({change.info.backend_pid})"
            (finding,) = seen.fact("now").findings
            assert finding.next_step == f"ask its owner, or: {end}", "it has no statement to cancel"
        finally:
            change.execute("ROLLBACK")
            reader.join()


@pytest.mark.parametrize("prepared", [False, True])
def test_the_cause_of_a_line_is_named_and_what_ends_it(
    seen: Seen, owned: Owned, monkeypatch: pytest.MonkeyPatch, prepared: bool
) -> None:
    """A reader waits behind a change that waits itself, for who has no statement under way."""
    monkeypatch.setattr(activity, "_PATIENCE", timedelta())
    execute(owned.admin, "CREATE TABLE shop (id int)")
    with (
        psycopg.connect(owned.admin) as holder,
        psycopg.connect(owned.admin, autocommit=True) as change,
        psycopg.connect(owned.admin, autocommit=True) as reader,
    ):
        holder.execute("INSERT INTO shop VALUES (1)")
        if prepared:
            holder.execute(f"PREPARE TRANSACTION '{owned.owner}'".encode())
        altering = threading.Thread(target=change.execute, args=["ALTER TABLE shop ADD note text"])
        altering.start()
        wait_until(lambda: len(known(seen.fact("now")).waiting) == 1, "the change waits")
        reading = threading.Thread(target=reader.execute, args=["SELECT * FROM shop"])
        reading.start()
        try:
            wait_until(lambda: len(known(seen.fact("now")).waiting) == 2, "the reader waits")
            pid = holder.info.backend_pid
            found = [(one.said.partition(", behind ")[2], one.next_step) for one in seen.fact("now").findings]
            cause = (f"pid {pid} (postgres, idle in transaction)", f"SELECT pg_terminate_backend({pid})")
            if prepared:
                cause = ("a prepared transaction", "ROLLBACK PREPARED or COMMIT PREPARED ends it")
            assert [(who, end.endswith(cause[1])) for who, end in found] == [(cause[0], True)] * 2
        finally:
            if prepared:
                execute(owned.admin, f"ROLLBACK PREPARED '{owned.owner}'")
            else:
                holder.rollback()
            altering.join()
            reading.join()


def test_the_progress_of_a_build(seen: Seen, owned: Owned) -> None:
    execute(owned.admin, "CREATE TABLE shop (id int)")
    with (
        psycopg.connect(owned.admin, autocommit=True) as change,
        psycopg.connect(owned.admin) as other,
    ):
        other.execute("INSERT INTO shop VALUES (1)")
        change.execute("SELECT pg_advisory_lock(%s, %s)", RUNNER)
        build = threading.Thread(target=change.execute, args=["CREATE INDEX CONCURRENTLY i ON shop (id)"])
        build.start()
        try:
            wait_until(
                lambda: any(one.progress for one in known(seen.fact("now")).changes), "its progress is said"
            )
            assert seen.fact("leftovers").said == "none"  # INVALID, and being built
        finally:
            other.rollback()
            build.join()


def test_what_would_hold_a_change_up(seen: Seen, owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = owned.owner  # of the server, not of the database
    execute(owned.admin, f"SELECT pg_create_physical_replication_slot('{slot}', true)")
    try:
        with psycopg.connect(owned.admin) as old:
            old.execute("SELECT 1")
            monkeypatch.setattr(activity, "_OLD", timedelta(hours=1))
            assert seen.said("holding") == []
            monkeypatch.setattr(activity, "_OLD", timedelta())
            monkeypatch.setattr(activity, "_KEPT", -1)
            said = seen.said("holding")
            pid = old.info.backend_pid
        assert any(one.startswith(f"pid {pid} (postgres, idle in transaction) has") for one in said), said
        assert any(one.startswith(f"nobody reads the slot {slot}, which keeps") for one in said), said
    finally:
        execute(owned.admin, f"SELECT pg_drop_replication_slot('{slot}')")


def test_an_age_far_beyond_the_limit() -> None:
    value = activity.Holding((), (), 500_000_000, 200_000_000, 0)
    assert [one.said.split(";")[0] for one in value.findings] == [
        "the oldest row is 500,000,000 transactions old"
    ]
    assert activity.Holding((), (), 300_000_000, 200_000_000, 1).findings == []
