"""What a run writes into its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.execution.runbook.run_log import RunLog

IDENTITY = {
    "runbook": "sample.md",
    "text": "abc",
    "values": {"label": "x"},
    "database": "here/app 1",
    "phases": ["Preflight", "Apply", "Verify"],
}


def test_every_event_is_on_disk_before_the_next(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "new" / "run.jsonl")
    log.write("start", identity=IDENTITY)
    log.write("step", line=2, sqlstate=None, note="é")
    events = [json.loads(line) for line in log.path.read_text("utf-8").splitlines()]
    log.close()
    assert [event["event"] for event in events] == ["start", "step"]
    assert {**events[1], "at": ""} == {"at": "", "event": "step", "line": 2, "sqlstate": None, "note": "é"}


def test_a_log_that_cannot_be_written_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as error:
        RunLog(tmp_path)
    assert error.value.next_step == "give --log FILE"
