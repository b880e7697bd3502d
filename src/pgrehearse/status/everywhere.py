"""All databases at once, each with its own deadline: one that is dead delays no other.

A server that hangs answers nothing, not even a cancel. So whoever looks at it is left alone at the deadline,
its connection is cut, and what it had read until then counts.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from pgrehearse import clock
from pgrehearse.status.fact import Fact
from pgrehearse.status.memory import Memory
from pgrehearse.status.snapshot import LookTarget, Snapshot, take, unseen
from pgrehearse.text.migration_files import Migration
from pgrehearse.text.project import Project

__all__ = ["DEADLINE", "look"]

#: Seconds that one database gets.
DEADLINE = 5.0
#: Databases that are looked at at the same time.
_AT_ONCE = 16


@dataclass
class _Visit:
    """One database that is being looked at by a thread of its own. ``late``: it was left alone."""

    number: int
    place: LookTarget
    begun: float = field(default_factory=time.monotonic)
    facts: dict[str, Fact] = field(default_factory=dict)
    connection: psycopg.Connection[object] | None = None
    late: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def opened(self, connection: psycopg.Connection[object]) -> None:
        with self.lock:
            self.connection = connection
            if self.late:
                self._cut()

    def give_up(self) -> dict[str, Fact]:
        """What was read until now; its thread ends when the network lets it."""
        read = dict(self.facts)  # before the cut, of which its thread would say something of its own
        with self.lock:
            self.late = True
            self._cut()
        return read

    def _cut(self) -> None:
        with suppress(OSError, psycopg.Error):  # it may have ended at this moment
            if self.connection is not None:
                with socket.socket(fileno=os.dup(self.connection.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)


def look(
    places: Sequence[LookTarget],
    project: Project,
    migrations: Sequence[Migration],
    memory: Memory,
    deadline: float = DEADLINE,
) -> Iterator[Snapshot]:
    """The snapshot of each of ``places``, as they come; what is unknown says when it was last seen."""
    ended: queue.SimpleQueue[_Visit] = queue.SimpleQueue()
    waiting = list(enumerate(places))[::-1]
    under_way: dict[int, _Visit] = {}

    def visit(one: _Visit) -> None:
        try:
            take(one.place, project, migrations, deadline, one.facts, one.opened)
        except BaseException as error:  # nobody else would hear of it
            one.facts |= unseen(one.place, f"a bug in pgrehearse: {error!r}", "report it", one.facts)
        finally:
            ended.put(one)

    while waiting or under_way:
        while waiting and len(under_way) < _AT_ONCE:
            one = _Visit(*waiting.pop())
            under_way[one.number] = one
            threading.Thread(target=visit, args=[one], name="status", daemon=True).start()
        rest = min(one.begun for one in under_way.values()) + deadline - time.monotonic()
        with suppress(queue.Empty):
            done = ended.get(timeout=max(rest, 0.001))
            if under_way.pop(done.number, None) is not None:
                yield _snapshot(done, done.facts, memory)
        for late in [one for one in under_way.values() if time.monotonic() - one.begun >= deadline]:
            del under_way[late.number]
            facts = unseen(
                late.place,
                f"it did not answer within {deadline:g} s",
                "look at the server and the way to it; --deadline gives it longer",
                late.give_up(),
            )
            yield _snapshot(late, facts, memory)


def _snapshot(visit: _Visit, facts: dict[str, Fact], memory: Memory) -> Snapshot:
    took = time.monotonic() - visit.begun
    return Snapshot(visit.place, clock.now(), took, memory.remembered(visit.place, facts))
