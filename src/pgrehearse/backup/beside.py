"""A backup is read whole while it is restored: both read the same files, and a machine has two cores.

The copy is disarmed, so its server may start meanwhile; it is asked nothing before the backup was read. What
is found damaged ends the restoring, and is what is said.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pgrehearse.backup.adapter import Adapter, BackupFacts
from pgrehearse.backup.proof import Proof, Refused

__all__ = ["read"]

_TICK = 0.1  # seconds between two words on progress


class _Ended(Exception):
    """Whoever reads shall stop."""


class _Reading(threading.Thread):
    """``adapter.read`` with lines of its own. What it raises is kept in ``failed``."""

    def __init__(self, adapter: Adapter, facts: BackupFacts) -> None:
        super().__init__(name="read whole", daemon=True)
        self._adapter, self._facts = copy.copy(adapter), facts
        # Its progress is not shown: that of the copying is, which has bytes.
        self._adapter.work = replace(adapter.work, progress=lambda what, done, total: self._go_on())
        self._end = threading.Event()
        self.lines = Proof()
        self.failed: BaseException | None = None

    def run(self) -> None:
        try:
            self._adapter.read(self._facts, self.lines)
        except BaseException as error:  # raised by whoever waits
            self.failed = error

    def stop(self) -> None:
        self._end.set()
        self.join()

    def _go_on(self) -> None:
        if self._end.is_set():
            raise _Ended


@contextmanager
def read(adapter: Adapter, facts: BackupFacts, proof: Proof) -> Iterator[None]:
    """Read the backup, before the block or while it restores.

    The first line that asks the copy or is unproven waits for the reading, whose lines stand first.
    Raises what `Adapter.read` raises.
    """
    if not adapter.copies or adapter.work.jobs < 2:
        adapter.read(facts, proof)
        yield
        return
    reading, shown = _Reading(adapter, facts), adapter.work.progress

    def looking(what: str, done: int, total: int) -> None:
        if isinstance(reading.failed, Refused):
            raise reading.failed
        shown(what, done, total)

    def until_read() -> None:
        while reading.is_alive():
            reading.join(_TICK)
            shown("read", 0, facts.bytes)
        proof.take(reading.lines)
        if reading.failed is not None:
            raise reading.failed

    adapter.work.progress = looking
    proof.wait(until_read)
    reading.start()
    try:
        yield
        proof.waited()
    finally:
        reading.stop()
        adapter.work.progress = shown
