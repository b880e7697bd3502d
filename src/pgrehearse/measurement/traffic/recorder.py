"""Records what readers and writers noticed while something ran: longest gap, worst request, errors."""

from __future__ import annotations

import itertools
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pgrehearse.errors import SetupError
from pgrehearse.measurement.traffic.requests import Requests
from pgrehearse.servers import Server

__all__ = ["LOAD", "Play", "TrafficRecorded", "record"]

#: The load as a program. With -P no json.py of the folder one stands in is taken for Python's own.
LOAD = (sys.executable, "-P", "-m", "pgrehearse.measurement.traffic.load")

#: Requests due per second. Two cores take some thousands: the load is a witness, not a burden.
READS, WRITES = 100.0, 50.0
#: Slices of a recording.
_SLICES = 40

#: Does the work under the load; calls its argument with the name of each part that begins.
Play = Callable[[Callable[[str], None]], None]


@dataclass(frozen=True)
class TrafficRecorded:
    """What one recording gave.

    Attributes:
        errors: SQLSTATEs of requests that failed, ``lost`` for a lost connection; sorted.
        failed: kind of request -> SQLSTATE -> number.
        measured: durations in milliseconds, with their conditions; never compared.
    """

    errors: list[str]
    failed: dict[str, dict[str, int]]
    measured: dict[str, Any]

    @property
    def kinds(self) -> list[str]:
        return list(self.failed)

    @property
    def longest(self) -> tuple[float, str]:
        """Milliseconds of the longest gap or request, and what it was, such as ``a gap of the writes``."""
        found = []
        for kind in self.kinds:
            found.append((float(self.measured[kind]["worst_ms"]), f"one of the {kind}"))
            found.append((float(self.measured[kind]["gap_ms"]), f"a gap of the {kind}"))
        return max(found)


def record(
    server: Server, database: str, requests: Requests, play: Play, *, lead: float, slices: int = _SLICES
) -> TrafficRecorded:
    """Run ``play`` while a process of its own sends ``requests``, for ``lead`` seconds before and after too.

    What ``play`` raises is passed on. Raises SetupError when the load does not start, or ends early.
    """
    load = _Load(server.dsn(database), requests)
    marks: list[tuple[str, float]] = []
    try:
        load.start()
        time.sleep(lead)  # a recording shows what was normal before
        play(lambda name: marks.append((name, time.monotonic())))
        marks.append(("end", time.monotonic()))
        time.sleep(lead)
        told = load.stop()
    finally:
        load.kill()
    measured = {
        "conditions": {
            "connections": 8,
            "cores": os.cpu_count() or 1,
            "machine": platform.machine(),
            "reads_per_second": READS,
            "rows": requests.rows,
            "server": server.version,
            "writes_per_second": WRITES,
        },
        **_measured(told, marks, slices),
    }
    failed = {name: dict(sorted(kind["failed"].items())) for name, kind in told["kinds"].items()}
    return TrafficRecorded(sorted({state for kind in failed.values() for state in kind}), failed, measured)


class _Load:
    """The process that sends the requests."""

    def __init__(self, dsn: str, requests: Requests) -> None:
        self._order = {
            "dsn": dsn,
            "kinds": [
                {"name": "reads", "requests": [asdict(one) for one in requests.reads], "rate": READS},
                {"name": "writes", "requests": [asdict(one) for one in requests.writes], "rate": WRITES},
            ],
        }
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Return when every connection is open and the first request is due. Raises SetupError."""
        self._process = subprocess.Popen(
            LOAD,
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


def _measured(told: dict[str, Any], marks: list[tuple[str, float]], slices: int) -> dict[str, Any]:
    # Both processes read the same monotonic clock of the machine.
    at = {name: round((moment - told["started"]) * 1000, 1) for name, moment in reversed(marks)}
    slice_ms = max(1, -(-round(told["ended"] * 1000) // slices))
    measured: dict[str, Any] = {
        "phases_ms": at,
        "runbook_ms": round(at["end"] - min(at.values())),
        "slice_ms": slice_ms,
    }
    for name, kind in told["kinds"].items():
        done = sorted(kind["done"])
        completed = sorted(end for _, end in done)
        ended = told["ended"]
        edges = [0.0, *(moment for moment in completed if moment < ended), max(ended, *completed, 0.0)]
        gap, begun = max((later - earlier, earlier) for earlier, later in itertools.pairwise(edges))
        worst: list[float | None] = [None] * slices  # None: nothing was due
        for due, end in done:
            place = min(int(due * 1000) // slice_ms, slices - 1)
            worst[place] = round(max(worst[place] or 0.0, (end - due) * 1000), 1)
        measured[name] = {
            "done": len(done) - sum(kind["failed"].values()),
            "due": kind["due"],
            "failed": dict(sorted(kind["failed"].items())),
            "gap_from_ms": round(begun * 1000),
            "gap_ms": round(gap * 1000, 1),
            "worst_by_slice_ms": worst,
            "worst_ms": round(max((end - due for due, end in done), default=0.0) * 1000, 1),
        }
    return measured
