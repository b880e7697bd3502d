"""The account of a run where there is no room for it: said with its place, whole lines only, nothing lost."""

from __future__ import annotations

import json
import sys

import pytest

from support.bench import Bench
from support.databases import Database
from support.processes import PGREHEARSE, call, clean_environment

NOTE = "INSERT INTO trace (note) VALUES ('{}');"
linux = pytest.mark.skipif(sys.platform != "linux", reason="the limit is tried on Linux")


def limited(bench: Bench, staging: Database, blocks: int, *more: str) -> tuple[int, str]:
    """A run that may write files of so many blocks of 1,024 bytes."""
    words = " ".join([*PGREHEARSE, "run", "sample", "--yes", "--dsn", f"'{staging.dsn}'", *more])
    ended = call(("bash", "-c", f"ulimit -f {blocks}; {words}"), bench.root, clean_environment())
    return ended.status, ended.err


@linux
@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_a_log_without_room_stops_the_run_and_the_next_goes_on(
    bench: Bench, staging: Database, blocks: int
) -> None:
    steps = [str(number) for number in range(15)]
    bench.runbook([NOTE.format(step) for step in steps])
    status, err = limited(bench, staging, blocks)
    assert status == 69, err
    assert "the run log cannot be written: File too large" in err
    assert ".jsonl" in err
    assert "it goes on" in err
    for file in (bench.root / ".pgrehearse" / "runs").glob("*.jsonl"):
        assert [json.loads(line) for line in file.read_text("utf-8").splitlines()] or blocks == 0
        assert file.stat().st_size == 0 or file.read_bytes().endswith(b"\n")
    done = staging.trace()
    assert done == steps[: len(done)] != steps
    assert bench.call("run", "sample", "--yes", "--dsn", staging.dsn).status == 0
    assert staging.trace() == steps


def test_a_full_device_is_named(bench: Bench, staging: Database) -> None:
    bench.runbook([NOTE.format("one")])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--log", "/dev/full")
    assert (ended.status, "/dev/full: the run log cannot be written" in ended.err) == (69, True), ended
    assert staging.trace() == []


@linux
def test_a_log_may_go_where_nothing_is_kept(bench: Bench, staging: Database) -> None:
    bench.runbook([NOTE.format("one")])
    ended = bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--log", "/dev/null")
    assert ended.status == 0, ended.said
    assert staging.trace() == ["one"]


@linux
def test_a_log_without_room_does_not_hide_what_stopped_the_run(bench: Bench, staging: Database) -> None:
    """The room ends with the step: an error of the step is told, not that of its account."""
    bench.runbook(["DO $$BEGIN RAISE EXCEPTION 'halt %', repeat('x', 10); END$$;"])
    first = bench.root / "first.jsonl"
    bench.call("run", "sample", "--yes", "--dsn", staging.dsn, "--log", str(first))
    events = first.read_text("utf-8").splitlines(keepends=True)
    assert [json.loads(line)["event"] for line in events] == [
        "start",
        *["begin", "statement", "step"] * 2,
        "stopped",
    ]
    size = sum(map(len, events[:-1]))
    blocks = size // 1024 + 1
    before = blocks * 1024 - size
    tight = bench.root / "tight.jsonl"
    tight.write_text("#" * (before - 10) + "\n", "utf-8")
    status, err = limited(bench, staging, blocks, "--log", str(tight))
    assert (status, "halt xxx" in err) == (1, True), err
