"""Many databases at once: one that is dead delays no other, and is unknown with its age."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pgrehearse.status.everywhere import look
from pgrehearse.status.fact import Known, Level, Unknown, Value
from pgrehearse.status.fact_table import FACTS
from pgrehearse.status.look import Look
from pgrehearse.status.memory import Memory
from pgrehearse.status.snapshot import LookTarget, Snapshot, facts_of
from support.databases import Owned, execute
from support.majors import OLD_AND_NEW
from support.snapshots import Seen, place_of
from support.waiting import LIMIT


@pytest.fixture(autouse=True)
def nobody_left() -> Iterator[None]:
    """Whoever was left alone at a deadline ends before the next test."""
    yield
    for thread in threading.enumerate():
        if thread.name == "status":
            thread.join(LIMIT)
            assert not thread.is_alive()


@contextmanager
def silent() -> Iterator[str]:
    """The connection string of what takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"host=127.0.0.1 port={listening.getsockname()[1]} dbname=shop user=nobody"


def looked(seen: Seen, places: Sequence[LookTarget], deadline: float) -> dict[str, Snapshot]:
    memory = Memory(seen.project)
    found = {one.place.label: one for one in look(places, seen.project, seen.migrations, memory, deadline)}
    assert memory.keep() == ""
    return found


def unknown(one: Snapshot, name: str = "server") -> Unknown:
    fact = one.facts[name]
    assert isinstance(fact, Unknown)
    return fact


@pytest.mark.parametrize("status_server", OLD_AND_NEW[-1:], indirect=True)
def test_one_of_fifty_is_dead(seen: Seen) -> None:
    """49 fresh, 1 unknown with its age, all within the deadline of one."""
    alive = [place_of(seen.dsn, f"shop_{number}") for number in range(49)]
    with silent() as dead:
        places = [place_of(seen.dsn, "dead"), *alive]
        before = looked(seen, places, LIMIT)
        assert {one.level for one in before.values()} == {Level.WELL}
        at = before["shop/dead"].facts["server"]
        assert isinstance(at, Known)
        places[0] = place_of(dead, "dead")
        begun = time.monotonic()
        after = looked(seen, places, 10.0)
        took = time.monotonic() - begun
    assert len(after) == 50
    gone = unknown(after.pop("shop/dead"))
    assert gone.reason.startswith(("it did not answer within 10 s", "the database cannot be reached"))
    assert gone.last_seen == at.measured_at
    assert {one.level for one in after.values()} == {Level.WELL}
    assert took < 20


@pytest.mark.parametrize("status_server", OLD_AND_NEW[-1:], indirect=True)
def test_a_server_that_hangs_is_left_alone(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said before counts; what it did not is unknown."""
    stopped: list[int] = []

    def hang(look: Look) -> Value:
        stopped.append(look.connection.info.backend_pid)
        os.kill(stopped[0], signal.SIGSTOP)
        look.rows(b"SELECT 1")
        raise AssertionError("it answered")

    monkeypatch.setitem(FACTS, "now", replace(FACTS["now"], read=hang))  # type: ignore[call-overload]
    try:
        (one,) = looked(seen, [seen.place], 10.0).values()
    finally:
        os.kill(stopped[0], signal.SIGCONT)
    assert one.facts["migrations"].said == "0 applied"
    assert unknown(one, "now").reason == "it did not answer within 10 s"
    assert unknown(one, "holding").reason == "it did not answer within 10 s"
    assert one.level == Level.UNKNOWN


def test_a_bug_in_a_fact_is_said_and_makes_nothing_green(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Look) -> Value:
        raise ZeroDivisionError("a bug")

    monkeypatch.setitem(FACTS, "rights", replace(FACTS["rights"], read=broken))  # type: ignore[call-overload]
    (one,) = looked(seen, [seen.place], LIMIT).values()
    assert "ZeroDivisionError" in unknown(one, "rights").reason
    assert isinstance(one.facts["server"], Known)


def test_nothing_leads_to_a_database(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {
        "port": "host=127.0.0.1 port=1 dbname=shop",
        "password": "postgresql://me:top@secret@127.0.0.1/shop",
        "nothing": "",
    }
    monkeypatch.delenv("PGDATABASE", raising=False)
    monkeypatch.delenv("PGSERVICE", raising=False)
    found = looked(seen, [place_of(dsn, name) for name, dsn in cases.items()], 5.0)
    for one in found.values():
        assert {fact.level for fact in one.facts.values()} == {Level.UNKNOWN}
        assert unknown(one).last_seen is None
        assert unknown(one).next_step
        assert "secret" not in unknown(one).reason
        assert list(one.facts) == facts_of(one.place)


def test_the_server_ends_the_session(seen: Seen, owned: Owned, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle: what was read stays, the rest says why it is unknown."""

    def ended(look: Look) -> Value:
        execute(owned.admin, f"SELECT pg_terminate_backend({look.connection.info.backend_pid}, 60000)")
        return look.rows(b"SELECT 1")  # type: ignore[return-value]

    monkeypatch.setitem(FACTS, "last", replace(FACTS["last"], read=ended))  # type: ignore[call-overload]
    (one,) = looked(seen, [seen.place], LIMIT).values()
    assert isinstance(one.facts["now"], Known)
    assert "terminating connection" in unknown(one, "last").reason
    assert "terminating connection" in unknown(one, "holding").reason


def test_a_memory_that_cannot_be_read_or_written(seen: Seen) -> None:
    folder = seen.project.records / "status"
    folder.mkdir(parents=True)
    (folder / "seen.json").write_text('{"seen": [1]}', "utf-8")
    memory = Memory(seen.project)
    facts = memory.remembered(seen.place, seen.facts())
    assert isinstance(facts["drift"], Unknown)
    (folder / "seen.json").unlink()
    folder.rmdir()
    folder.write_text("no folder", "utf-8")
    assert "cannot be" in memory.keep()
