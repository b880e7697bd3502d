"""The rehearsal *under traffic*: readers and writers at a fixed rate while the runbook runs."""

from __future__ import annotations

import itertools
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from typing import Any

from pgrehearse.errors import SetupError
from pgrehearse.measurement.rehearsals.requests import Requests, requests_for
from pgrehearse.measurement.rehearsals.results import Rehearsal, Surprise
from pgrehearse.measurement.rehearsals.stage import Stage

__all__ = ["ROWS", "under_traffic"]

#: Rows of the example table; some runbooks begin by deleting some.
ROWS = 120_000
#: Rows a table must have for its recording to be shown without a remark.
ENOUGH = 100_000
#: Requests due per second. Two cores take some thousands: the load is a witness, not a burden.
READS, WRITES = 100.0, 50.0
#: Seconds of load before Preflight and after Verify.
_LEAD = 0.3
#: Slices of a recording.
_SLICES = 40


def under_traffic(stage: Stage) -> Rehearsal:
    """Preflight, Apply and Verify while a process of its own sends requests to the runbook's table.

    Fails when a request fails and the front matter says no ``breaks``, or when the longest one exceeds the
    budget ``stall``.
    """
    front = stage.document.front
    with stage.copy() as database:
        requests = requests_for(stage, database)
        if isinstance(requests, str):
            return Rehearsal("under traffic", "not run", requests)
        load = _Load(stage, database, requests)
        try:
            load.start()
            began = time.monotonic()
            time.sleep(_LEAD)  # a recording shows what was normal before
            marks = []
            with stage.executor(database) as executor:
                for phase in ("Preflight", "Apply", "Verify"):
                    marks.append((phase, time.monotonic()))
                    stage.watch(
                        executor, [c for c in stage.forward if (c.phase or "Preflight") == phase], phase
                    )
            marks.append(("end", time.monotonic()))
            time.sleep(_LEAD)
            recording = load.stop()
        finally:
            load.kill()
    measured = _measured(recording, began, marks, stage, requests)
    failed = sorted({state for kind in recording["kinds"].values() for state in kind["failed"]})
    facts = {"table": requests.table, "requests": list(requests.words), "errors": failed}
    if front.breaks and not failed:
        raise Surprise(
            f"the front matter says breaks: {front.breaks!r}, but no request failed: remove the key"
        )
    if failed and not front.breaks:
        counts = {name: kind["failed"] for name, kind in recording["kinds"].items()}
        raise Surprise(f"requests failed: {json.dumps(counts)}")
    worst = max(measured[name]["worst_ms"] for name in recording["kinds"])
    if front.stall is not None and worst > front.stall * 1000:
        which = max(recording["kinds"], key=lambda name: float(measured[name]["worst_ms"]))
        raise Surprise(
            f"the longest request, one of the {which}, took {worst:.0f} ms; the budget stall is"
            f" {front.stall * 1000:.0f} ms"
        )
    remarks = [f"requests fail by design: {front.breaks}"] if front.breaks else []
    if requests.rows < ENOUGH:
        remarks.append(f"table {requests.table} has {requests.rows} rows, fewer than {ENOUGH}")
    return Rehearsal("under traffic", "passed", "; ".join(remarks), facts, measured)


class _Load:
    """The process that sends the requests."""

    def __init__(self, stage: Stage, database: str, requests: Requests) -> None:
        self._order = {
            "dsn": stage.server.dsn(database),
            "kinds": [
                {"name": "reads", "requests": [asdict(one) for one in requests.reads], "rate": READS},
                {"name": "writes", "requests": [asdict(one) for one in requests.writes], "rate": WRITES},
            ],
        }
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Return when every connection is open and the first request is due. Raises SetupError."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pgrehearse.measurement.rehearsals.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        pipes = self._process
        assert pipes.stdin and pipes.stdout and pipes.stderr
        pipes.stdin.write(json.dumps(self._order) + "\n")
        pipes.stdin.flush()
        if pipes.stdout.readline().strip() != "ready":
            raise SetupError(
                f"the load did not start: {pipes.stderr.read()[-800:]}", next_step="check the server"
            )

    def stop(self) -> dict[str, Any]:
        """Let what is due complete, and return the recording."""
        assert self._process is not None
        out, err = self._process.communicate(timeout=60)
        try:
            recording: dict[str, Any] = json.loads(out)
        except ValueError:
            raise SetupError(f"the load ended early: {err[-800:]}", next_step="check the server") from None
        return recording

    def kill(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def _measured(
    recording: dict[str, Any],
    began: float,
    marks: list[tuple[str, float]],
    stage: Stage,
    requests: Requests,
) -> dict[str, Any]:
    """Durations in milliseconds, with their conditions."""
    # Both processes read the same monotonic clock of the machine.
    at = {name: round((moment - recording["started"]) * 1000) for name, moment in marks}
    slice_ms = max(1, -(-round(recording["ended"] * 1000) // _SLICES))
    measured: dict[str, Any] = {
        "conditions": {
            "connections": 8,
            "cores": os.cpu_count() or 1,
            "machine": platform.machine(),
            "reads_per_second": READS,
            "rows": requests.rows,
            "server": stage.server.version,
            "writes_per_second": WRITES,
        },
        "phases_ms": at,
        "runbook_ms": at["end"] - at["Preflight"],
        "slice_ms": slice_ms,
    }
    for name, kind in recording["kinds"].items():
        done = sorted(kind["done"])
        completed = sorted(end for _, end in done)
        ended = recording["ended"]
        edges = [0.0, *(moment for moment in completed if moment < ended), max(ended, *completed, 0.0)]
        gaps = [later - earlier for earlier, later in itertools.pairwise(edges)]
        slices: list[float | None] = [None] * _SLICES  # None: nothing was due
        for due, end in done:
            place = min(int(due * 1000) // slice_ms, _SLICES - 1)
            slices[place] = round(max(slices[place] or 0.0, (end - due) * 1000), 1)
        measured[name] = {
            "done": len(done) - sum(kind["failed"].values()),
            "due": kind["due"],
            "failed": dict(sorted(kind["failed"].items())),
            "gap_ms": round(max(gaps) * 1000, 1),
            "worst_by_slice_ms": slices,
            "worst_ms": round(max((end - due for due, end in done), default=0.0) * 1000, 1),
        }
    return measured
