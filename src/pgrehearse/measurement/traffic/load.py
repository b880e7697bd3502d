"""The load beside a rehearsal or a recording, run as a process of its own: ``python -m`` this module.

Open loop: a request has a time at which it is due, whatever became of those before, and its latency counts
from then. While nothing completes, requests pile up and each of them is late; a load that waits for an answer
before it asks again would show one slow request and no outage.

Protocol: one line of JSON on standard input, ``ready`` on standard output when every connection has
worked, a closed standard input to stop, one line of JSON back.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pgrehearse.connections import connect
from pgrehearse.errors import first_line

__all__ = ["main"]

#: Connections for readers, and as many for writers: an application's pool, not one per request.
_CONNECTIONS = 4
#: Seconds until every connection must have worked; a refused one is told at once.
_CONNECT = 120.0
#: Seconds that requests already due may take after the stop.
_DRAIN = 20.0


@dataclass
class _Kind:
    """All requests of one kind. ``done`` holds (due, completed) in seconds since the start."""

    name: str
    requests: list[dict[str, Any]]
    rate: float
    done: list[tuple[float, float]] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> int:
        with self.guard:
            self.taken += 1
            return self.taken - 1


def main() -> None:
    """Read the order, load the server until standard input closes, print what happened."""
    order = json.loads(sys.stdin.readline())
    kinds = [_Kind(kind["name"], kind["requests"], kind["rate"]) for kind in order["kinds"]]
    stop, start = threading.Event(), threading.Event()
    clock: list[float] = []
    refused: list[str] = []
    ready = threading.Barrier(_CONNECTIONS * len(kinds) + 1)
    threads = [
        threading.Thread(
            target=_work, args=(order["dsn"], kind, ready, start, stop, clock, refused), daemon=True
        )
        for kind in kinds
        for _ in range(_CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    try:
        ready.wait(_CONNECT)
    except threading.BrokenBarrierError:
        why = refused[0] if refused else f"not within {_CONNECT:g} s"
        sys.exit(f"the load cannot connect: {why}")
    clock.append(time.monotonic())
    start.set()
    print("ready", flush=True)
    sys.stdin.read()
    ended = time.monotonic() - clock[0]
    stop.set()
    limit = time.monotonic() + _DRAIN
    for thread in threads:
        thread.join(max(0.0, limit - time.monotonic()))
    out = {
        kind.name: {"done": kind.done, "failed": kind.failed, "due": int(ended * kind.rate)} for kind in kinds
    }
    print(json.dumps({"started": clock[0], "ended": ended, "kinds": out}), flush=True)


def _work(
    dsn: str,
    kind: _Kind,
    ready: threading.Barrier,
    start: threading.Event,
    stop: threading.Event,
    clock: list[float],
    refused: list[str],
) -> None:
    try:
        connection: psycopg.Connection = connect(dsn, autocommit=True, prepare_threshold=None)
        ready.wait(_CONNECT)
    except psycopg.Error as error:
        refused.append(first_line(error))
        ready.abort()
        return
    except threading.BrokenBarrierError:
        return  # another one could not connect
    start.wait()
    ended = 0.0
    while True:
        number = kind.take()
        due = clock[0] + number / kind.rate
        if stop.wait(max(0.0, due - time.monotonic())) and not ended:
            ended = time.monotonic()
        if ended and due > ended:
            return
        connection = _request(dsn, connection, kind, number)
        kind.done.append((due - clock[0], time.monotonic() - clock[0]))


def _request(dsn: str, connection: psycopg.Connection, kind: _Kind, number: int) -> psycopg.Connection:
    request = kind.requests[number % len(kind.requests)]
    keys = request["keys"]
    key = keys[number // len(kind.requests) % len(keys)] if keys else []
    try:
        for statement in request["statements"]:
            connection.execute(statement.encode(), key if "%s" in statement else None)
    except psycopg.Error as error:
        kind.failed[error.sqlstate or "lost"] += 1
        if connection.closed:
            with suppress(psycopg.Error):  # the next request tries again, and fails
                return connect(dsn, autocommit=True, prepare_threshold=None)
        else:
            connection.rollback()
    return connection


if __name__ == "__main__":
    main()
