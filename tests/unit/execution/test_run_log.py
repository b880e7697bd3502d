"""What a run writes into its log, and what a later run reads out of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.execution.runbook.resume import unfinished
from pgrehearse.execution.runbook.run_log import RunLog

IDENTITY = {
    "runbook": "sample.md",
    "text": "abc",
    "values": {"label": "x"},
    "database": "here/app 1",
    "phases": ["Preflight", "Apply", "Verify"],
}
BACK = {**IDENTITY, "phases": ["Roll back"]}


def started(identity: dict[str, Any] | None = None, resumed: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"event": "start", "identity": identity or IDENTITY, "resumed": list(resumed)}


def step(
    line: int, status: str = "passed", phase: str = "Apply", *, in_transaction: bool = False
) -> dict[str, Any]:
    return {
        "event": "step",
        "phase": phase,
        "line": line,
        "status": status,
        "in_transaction": in_transaction,
    }


STOPPED = {"event": "stopped", "error": "ExpectationError"}
DONE = {"event": "done"}


class Logs:
    """Log files below ``folder``; what is written later is later."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def write(self, *events: dict[str, Any], name: str = "a") -> Path:
        file = self.folder / f"{name}.jsonl"
        with file.open("a", encoding="utf-8") as lines:
            for event in events:
                self.count += 1
                at = f"2026-01-01T00:{self.count // 60:02}:{self.count % 60:02}.000+00:00"
                lines.write(json.dumps({"at": at, **event}) + "\n")
        return file

    def done(self, identity: dict[str, Any] | None = None) -> list[int] | None:
        """Lines that need not be done again; None: begin at the top."""
        found = unfinished(self.folder.glob("*.jsonl"), identity or IDENTITY)
        return None if found is None else sorted(found.done)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


def test_nothing_to_go_on_from(logs: Logs) -> None:
    assert logs.done() is None
    logs.write(started(), step(1), DONE)
    assert logs.done() is None, "a run that ended"


def test_a_stopped_run_is_gone_on_with(logs: Logs) -> None:
    file = logs.write(started(), step(1, phase="Preflight"), step(2), step(3, "failed"), STOPPED)
    assert logs.done() == [2]
    found = unfinished([file], IDENTITY)
    assert found is not None
    assert (found.path, found.at[:17]) == (file, "2026-01-01T00:00:")


def test_a_killed_run_wrote_no_end(logs: Logs) -> None:
    file = logs.write(started(), step(2))
    file.write_bytes(file.read_bytes() + b'{"at": "2026-01-01T00:0\xff')
    assert logs.done() == [2]


def test_what_was_done_before_the_stopped_run_counts(logs: Logs) -> None:
    logs.write(started(resumed=(2, 4)), step(5), STOPPED)
    assert logs.done() == [2, 4, 5]


def test_a_step_in_a_transaction_counts_when_that_has_ended(logs: Logs) -> None:
    inside = [step(2, in_transaction=True), step(3, in_transaction=True)]
    logs.write(started(), step(1), *inside, STOPPED)
    assert logs.done() == [1]
    logs.write(started(), step(1), *inside, step(4), STOPPED)
    assert logs.done() == [1, 2, 3, 4]


@pytest.mark.parametrize("key", list(IDENTITY))
def test_a_run_of_something_else_is_not_gone_on_with(logs: Logs, key: str) -> None:
    logs.write(started({**IDENTITY, key: "other"}), step(2), STOPPED)
    assert logs.done() is None


def test_the_newest_run_decides(logs: Logs) -> None:
    logs.write(started(), step(2), STOPPED, name="b")
    logs.write(started(), step(2), step(3), STOPPED, name="a")
    assert logs.done() == [2, 3]
    logs.write(started(), DONE, name="c")
    assert logs.done() is None


def test_several_runs_in_one_log(logs: Logs) -> None:
    logs.write(started(), step(2), STOPPED)
    logs.write(started(resumed=(2,)), step(3), STOPPED)
    assert logs.done() == [2, 3]


def test_after_a_roll_back_nothing_is_done(logs: Logs) -> None:
    logs.write(started(), step(2), STOPPED)
    logs.write(started({**BACK, "text": "edited"}), step(9, "failed", "Roll back"), STOPPED)
    assert logs.done() is None, "a part of it may be undone"


def test_the_roll_back_of_another_database_undoes_nothing_here(logs: Logs) -> None:
    logs.write(started(), step(2), STOPPED)
    logs.write(started({**BACK, "database": "there/app 1"}), step(9, phase="Roll back"), DONE)
    logs.write(started(BACK), STOPPED)  # it stopped before its first step
    assert logs.done() == [2]


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
