"""The state machine of promotions: the whole story, and everything it refuses, refused by PostgreSQL."""

from __future__ import annotations

import re
import threading

import psycopg
import pytest
from psycopg.types.json import Jsonb

from support.databases import execute
from support.promotions import ITEMS, Stage, approved, call, refused, trail
from support.waiting import wait_until

P = "pgrehearse_promotion"


def test_the_whole_story(stage: Stage) -> None:
    number, plan = stage.request()
    assert stage.state(number) == "requested"
    assert stage.approve("dora", number) == "approved"
    with stage.applying() as ron:
        ron.execute(call("start"), [number, plan, stage.gates()])
        for item in (1, 2):
            ron.execute(call("step"), [number, 1, item, "started", Jsonb({})])
            ron.execute(call("step"), [number, 1, item, "done", Jsonb({"milliseconds": 3})])
        ron.execute(call("finish"), [number])
    assert stage.state(number) == "applied"
    found = trail(stage)
    assert found.problems == ()
    assert [entry["action"] for entry in found.entries] == [
        "install", "request", "approval", "approve", "start",
        "step started", "step done", "step started", "step done", "finish",
    ]  # fmt: skip
    assert {e["who"] for e in found.entries} == {
        stage.who(name) for name in ("installer", "rita", "dora", "ron")
    }


@pytest.mark.parametrize("kept", [True, False])
def test_of_two_requests_at_once_the_later_supersedes_the_other(stage: Stage, kept: bool) -> None:
    """It waits for the first one's end, be that a commit or not."""
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(stage.request()[0]))
    with psycopg.connect(stage.as_("rita")) as rita:
        row = rita.execute(call("request"), [Jsonb(ITEMS), ["shop"], ""]).fetchone()
        assert row is not None
        thread.start()
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity"
        waits += " WHERE datname = current_database())"
        wait_until(lambda: bool(execute(stage.dsn, f"{waits} LIMIT 1")), "the second request waits")
        if not kept:
            rita.rollback()
    thread.join()
    assert [stage.state(number) for number in later] == ["requested"]
    if kept:
        assert stage.state(row[0]) == "superseded"
    assert trail(stage).problems == ()


def test_a_state_is_not_written(stage: Stage) -> None:
    number, _ = stage.request()
    for person in ("rita", "dora", "ron", "vic", "postgres"):
        for state in ("approved", "applying", "applied", "nonsense"):
            sql = f"UPDATE {P}.promotion SET state = '{state}', action = 'approve' WHERE id = {number}"
            assert refused(lambda s=sql, p=person: stage.ask(p, s)).startswith(("42501", "55000"))
    assert stage.state(number) == "requested"


def test_a_step_is_not_forged(stage: Stage) -> None:
    number, plan = approved(stage)
    assert "not applying" in refused(lambda: stage.ask("ron", call("step"), number, 1, 1, "done", Jsonb({})))
    with stage.applying() as ron:
        ron.execute(call("start"), [number, plan, stage.gates()])
        said = refused(lambda: ron.execute(call("step"), [number, 1, 1, "done", Jsonb({})]))
        assert "was not started" in said
        assert refused(lambda: ron.execute(call("step"), [number, 1, 9, "started", Jsonb({})])).startswith(
            "23503"
        )
        assert "not done" in refused(lambda: ron.execute(call("finish"), [number]))
        for item in (1, 2):
            ron.execute(call("step"), [number, 1, item, "started", Jsonb({})])
            ron.execute(call("step"), [number, 1, item, "done", Jsonb({})])
        said = refused(lambda: ron.execute(call("step"), [number, 1, 1, "started", Jsonb({})]))
        assert said.endswith("step 1 of database 1 is done")
    for person in ("rita", "dora", "vic"):
        assert refused(lambda p=person: stage.ask(p, call("finish"), number)).startswith("42501")


def test_a_gate_that_is_red_or_missing_or_unknown_refuses(stage: Stage) -> None:
    number, plan = approved(stage)
    with stage.applying() as ron:
        for gates in (stage.gates(ledger=False), Jsonb([]), Jsonb(None), Jsonb({"gate": "ledger"}),
                      Jsonb([{"gate": "ledger", "green": "true"}]),
                      Jsonb([*stage.gates().obj, {"gate": "weather", "green": False}]),
                      Jsonb([*stage.gates().obj, {"green": None}])):  # fmt: skip
            said = refused(lambda g=gates: ron.execute(call("start"), [number, plan, g]))
            assert said.startswith("55000 gates that are not green"), said
    assert stage.state(number) == "approved"


def test_without_the_lock_nothing_is_started_and_two_never_apply(stage: Stage) -> None:
    number, plan = approved(stage)
    start = [number, plan, stage.gates()]
    assert "does not hold the lock" in refused(lambda: stage.ask("ron", call("start"), *start))
    with stage.applying() as ron:
        assert "does not hold the lock" in refused(lambda: stage.ask("ron", call("start"), *start))
        ron.execute(call("start"), start)
        assert "is being applied at this moment" in refused(
            lambda: stage.ask("rita", call("cancel"), number, "")
        )
        assert "cannot be made superseded" in refused(stage.request)
    # The session is gone: whoever comes next may resume, or give it up.
    with stage.applying() as ron:
        ron.execute(call("start"), start)
    stage.ask("rita", call("cancel"), number, "given up")
    assert stage.state(number) == "canceled"


def test_times_are_the_server_s(stage: Stage) -> None:
    with psycopg.connect(stage.as_("rita"), autocommit=True) as connection:
        connection.execute("SET TimeZone = 'Pacific/Kiritimati'")
        connection.execute("SET DateStyle = 'German'")
        connection.execute(call("request").encode(), [Jsonb(ITEMS), ["shop"], ""])
    row = stage.ask("vic", f"SELECT abs(extract(epoch FROM requested_at - now())) < 60 FROM {P}.promotion")
    assert row == [(True,)]
    last = trail(stage).entries[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", last["at"])


def test_the_table_of_transitions_is_what_the_reference_reads(stage: Stage) -> None:
    from pgrehearse.promotion.transitions import transitions

    rows = stage.ask("vic", f"SELECT action, from_state, to_state, roles, demands FROM {P}.transition")
    assert sorted(rows) == sorted(
        (t.action, t.before, t.after, list(t.roles), t.demands) for t in transitions()
    )
