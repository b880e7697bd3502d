"""What is told while a statement of a runbook runs: who blocks it, what it says; and that nothing ends it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from pgrehearse.errors import ExpectationError
from pgrehearse.execution.backoff import Backoff
from pgrehearse.execution.runbook import watch
from pgrehearse.execution.runbook.run import carry_out
from pgrehearse.execution.runbook.steps import Step
from pgrehearse.execution.runbook.watch import Blocker
from support.databases import Database
from support.runbook_requests import Recorder, names, request


@dataclass
class Releasing(Recorder):
    """Ends the transaction that blocks when it is told who that is."""

    holder: psycopg.Connection[tuple[object, ...]] | None = None

    def waits(self, step: Step, blockers: Sequence[Blocker]) -> None:
        super().waits(step, blockers)
        assert self.holder is not None
        self.holder.rollback()


@pytest.mark.parametrize(
    "cell",
    [
        "SET lock_timeout = '60s';\nALTER TABLE gate ADD COLUMN extra int;",
        "SET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY gate_open ON gate (open);",
    ],
)
def test_who_blocks_is_named_while_it_waits(staging: Database, tmp_path: Path, cell: str) -> None:
    with psycopg.connect(staging.dsn, application_name="billing") as holder:
        holder.execute("INSERT INTO gate VALUES (false)")
        recorder = Releasing(holder=holder)
        assert carry_out(request(staging, tmp_path, cell), recorder)
        assert recorder.named("waits") == [("waits", "Apply 1/1", str(holder.info.backend_pid))]
    (log,) = (tmp_path / "runs").iterdir()
    events = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    (waited,) = [event for event in events if event["event"] == "waits"]
    assert [one["application"] for one in waited["blockers"]] == ["billing"]


@pytest.mark.parametrize(
    "cell",
    [
        "SET lock_timeout = '3s';\nBEGIN;\nALTER TABLE gate ADD COLUMN extra int;\nCOMMIT;",
        "SET lock_timeout = '3s';\nALTER TABLE gate ADD COLUMN extra int;",
        "SET lock_timeout = '3s';\nBEGIN;\nSELECT pg_sleep(0.1);\nLOCK TABLE gate;\nCOMMIT;",
    ],
)
def test_who_blocked_is_named_when_the_wait_was_short(
    staging: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str
) -> None:
    """Shorter than what is told while it waits; the rollback after it made that forgotten."""
    monkeypatch.setattr(watch, "_TOLD", 60.0)
    with psycopg.connect(staging.dsn, application_name="billing") as holder:
        holder.execute("INSERT INTO gate VALUES (false)")
        once = replace(request(staging, tmp_path, cell), backoff=Backoff(1))
        with pytest.raises(ExpectationError) as caught:
            carry_out(once, Recorder())
        pid = holder.info.backend_pid
    assert f"it waited for pid {pid}, " in (caught.value.next_step or "")
    assert "billing" in (caught.value.next_step or "")


@dataclass
class Answering(Recorder):
    """Opens the gate when it hears a notice."""

    database: Database | None = None

    def notice(self, step: Step, text: str) -> None:
        super().notice(step, text)
        assert self.database is not None
        self.database.execute("INSERT INTO gate VALUES (true)")


def test_notices_are_told_as_they_come_and_once(staging: Database, tmp_path: Path) -> None:
    waits = (
        "DO $$BEGIN RAISE NOTICE 'batch 1: 50 of 200'; FOR i IN 1..3000 LOOP"
        " IF EXISTS (SELECT FROM gate) THEN RETURN; END IF; PERFORM pg_sleep(0.01); END LOOP;"
        " RAISE EXCEPTION 'nobody heard it'; END$$;"
    )
    recorder = Answering(database=staging)
    assert carry_out(request(staging, tmp_path, waits), recorder)
    assert names(recorder.named("notice", "progress", "output")) == [
        ("notice", "Apply 1/1", "NOTICE:  batch 1: 50 of 200"),
        ("progress", "Apply 1/1", "50/200"),
        ("output", "Apply 1/1", "DO"),
    ]


@pytest.mark.parametrize("number", ["n", "0"])
def test_no_number_of_notices_ends_a_step(staging: Database, tmp_path: Path, number: str) -> None:
    """They are told as they come, those that are alike too; what is printed otherwise has room still."""
    talks = (
        f"DO $$BEGIN FOR n IN 1..3000 LOOP RAISE NOTICE '% %', {number}, repeat('and ', 500)"
        " USING DETAIL = 'more'; END LOOP; END$$;\nSELECT 7 AS after;"
    )
    recorder = Recorder()
    assert carry_out(request(staging, tmp_path, talks), recorder)
    assert len(recorder.named("notice")) == 3000
    (printed,) = names(recorder.named("output"))
    assert "DETAIL" not in printed[-1]
    assert printed[-1].startswith("DO\n after")


def test_no_timeout_of_a_fence_or_a_role_ends_a_step(staging: Database, tmp_path: Path) -> None:
    slow = '```sql timeout="50ms"\nSELECT pg_sleep(0.3);\n```'
    python = (
        '```python timeout="50ms"\nimport time, psycopg\ntime.sleep(0.3)\n'
        'with psycopg.connect() as c:\n    print(c.execute("SHOW statement_timeout").fetchone()[0])\n'
        "```\n\n```text\n0\n```"
    )
    asked = request(staging, tmp_path, slow, python)
    staging.execute(f"ALTER DATABASE \"{staging.name}\" SET statement_timeout = '50ms'")
    assert carry_out(asked, Recorder())
