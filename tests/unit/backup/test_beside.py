"""A backup is read while it is restored: in order all the same, and damage ends the restoring."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from pgrehearse.backup import beside
from pgrehearse.backup.adapter import Adapter, BackupFacts, Copy, WorkOptions
from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.proof import NoRoom, Proof, Refused, Unproven

FACTS = BackupFacts("monday", "digest", datetime(2026, 1, 2, tzinfo=UTC))
LIMIT = 60  # seconds until a test that hangs fails


class Stepped(Adapter):
    """Reads and copies as long as the test has not said so, looking for an end meanwhile."""

    name, makes, needs, copies = "stepped", "", "", True

    def __init__(self, jobs: int = 2) -> None:
        super().__init__("place", cast(Any, None), WorkOptions(jobs=jobs, progress=self._shown))
        self.may_read, self.may_copy, self.stopped = threading.Event(), threading.Event(), threading.Event()
        self.may_start, self.starting = threading.Event(), threading.Event()
        self.may_start.set()
        self.wrong: BaseException | None = None
        self.lame: BaseException | None = None
        self.shown: set[str] = set()
        #: what is allowed as soon as some progress is shown
        self.after: dict[str, threading.Event] = {}

    def _shown(self, what: str, done: int, total: int) -> None:
        self.shown.add(what)
        if what in self.after:
            self.after[what].set()

    def read(self, facts: BackupFacts, proof: Proof) -> None:
        with proof.proving(EvidenceLevel.READ, "checksums"):
            try:
                self._until(self.may_read, "read")
            except BaseException:
                self.stopped.set()
                raise
            if self.wrong:
                raise self.wrong

    @contextmanager
    def restored(self, facts: BackupFacts, proof: Proof) -> Iterator[Copy]:
        with proof.proving(EvidenceLevel.RESTORED, "copied"):
            self._until(self.may_copy, "copy")
        with proof.proving(EvidenceLevel.RESTORED, "recovery"):
            self.starting.set()
            self._until(self.may_start, "recovery")
            if self.lame:
                raise self.lame
        yield Copy(lambda database: database, physical=True)

    def _until(self, event: threading.Event, what: str) -> None:
        for _ in range(LIMIT * 100):
            if event.wait(0.01):
                return
            self.work.progress(what, 0, 0)
        pytest.fail(f"{what} is never done")

    def listed(self, proof: Proof) -> BackupFacts:
        return FACTS

    def take(self) -> None: ...


def verified(adapter: Stepped, proof: Proof) -> None:
    with (
        beside.read(adapter, FACTS, proof),
        adapter.restored(FACTS, proof),
        proof.proving(EvidenceLevel.QUERIED, "rows"),
    ):
        pass


def lines(proof: Proof) -> list[tuple[str, bool]]:
    return [(one.check, one.ok) for one in proof.lines]


@pytest.mark.parametrize("first", ["may_read", "may_copy"])
def test_lines_stand_in_order_whichever_is_done_first(first: str) -> None:
    adapter, proof = Stepped(), Proof()
    getattr(adapter, first).set()
    last = {"may_read": adapter.may_copy, "may_copy": adapter.may_read}[first]
    timer = threading.Timer(0.05, last.set)
    timer.start()
    verified(adapter, proof)
    timer.join()
    assert lines(proof) == [("checksums", True), ("copied", True), ("recovery", True), ("rows", True)]
    assert not [one for one in threading.enumerate() if one.name == "read whole"]


def test_damage_ends_the_copying() -> None:
    adapter, proof = Stepped(), Proof()
    adapter.wrong = Refused("a byte is another", "take another")
    adapter.may_read.set()
    with pytest.raises(Refused, match="a byte is another"):
        verified(adapter, proof)  # it was never allowed to be done with the copy
    assert lines(proof) == [("checksums", False)]


def test_damage_that_is_found_last_is_found_before_anything_is_done_with_the_copy() -> None:
    adapter, proof = Stepped(), Proof()
    adapter.wrong = Refused("a byte is another", "take another")
    adapter.may_copy.set()
    adapter.after["read"] = adapter.may_read  # somebody waits for the reading, and says so
    with pytest.raises(Refused, match="a byte is another"):
        verified(adapter, proof)
    assert lines(proof) == [("checksums", False)]
    assert "read" in adapter.shown


def test_the_copy_starts_meanwhile_and_is_asked_nothing() -> None:
    """`rows` is never begun: it waits for the reading, which needs the start to have begun."""
    adapter, proof = Stepped(), Proof()
    adapter.may_copy.set()
    adapter.wrong = Refused("a byte is another", "take another")

    def begun() -> None:
        if adapter.starting.wait(LIMIT):
            adapter.may_read.set()

    reader = threading.Thread(target=begun)
    reader.start()
    with pytest.raises(Refused, match="a byte is another"):
        verified(adapter, proof)
    reader.join()
    assert (adapter.starting.is_set(), lines(proof)) == (True, [("checksums", False)])


def test_damage_ends_the_recovery() -> None:
    adapter, proof = Stepped(), Proof()
    adapter.may_copy.set()
    adapter.may_start.clear()  # it would recover for ever
    adapter.wrong = Refused("a byte is another", "take another")
    timer = threading.Timer(0.05, adapter.may_read.set)
    timer.start()
    with pytest.raises(Refused, match="a byte is another"):
        verified(adapter, proof)
    timer.join()
    assert lines(proof) == [("checksums", False)]


@pytest.mark.parametrize("wrong", [Refused("a byte is another", "take another"), None])
def test_why_the_copy_does_not_start_is_said_after_what_the_reading_found(wrong: Refused | None) -> None:
    """A damaged copy does not start either: the reason is the damage, where there is any."""
    adapter, proof = Stepped(), Proof()
    adapter.may_copy.set()
    adapter.wrong, adapter.lame = wrong, Refused("the copy did not start: PANIC", "read its log")
    timer = threading.Timer(0.05, adapter.may_read.set)
    timer.start()
    with pytest.raises(Refused, match="a byte is another" if wrong else "PANIC"):
        verified(adapter, proof)
    timer.join()
    assert lines(proof) == (
        [("checksums", False)] if wrong else [("checksums", True), ("copied", True), ("recovery", False)]
    )


def test_what_is_only_unproven_stops_nothing() -> None:
    adapter, proof = Stepped(), Proof()
    adapter.wrong = Unproven("no pg_verifybackup", "install it")
    adapter.may_read.set()
    adapter.may_copy.set()
    verified(adapter, proof)
    assert lines(proof) == [("checksums", False), ("copied", True), ("recovery", True), ("rows", True)]


@pytest.mark.parametrize("why", [KeyboardInterrupt(), NoRoom("full")])
def test_what_ends_the_copying_ends_the_reading(why: BaseException) -> None:
    adapter, proof = Stepped(), Proof()
    with pytest.raises(type(why)), beside.read(adapter, FACTS, proof):
        raise why
    assert adapter.stopped.wait(LIMIT)
    assert lines(proof) == []
    adapter.work.progress("afterwards", 0, 0)
    assert "afterwards" in adapter.shown


def test_with_one_job_one_comes_after_the_other() -> None:
    adapter, proof = Stepped(jobs=1), Proof()
    adapter.wrong = Refused("a byte is another", "take another")
    adapter.may_read.set()
    with pytest.raises(Refused), beside.read(adapter, FACTS, proof):
        pytest.fail("the block was entered")
    assert lines(proof) == [("checksums", False)]
