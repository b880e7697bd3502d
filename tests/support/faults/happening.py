"""The faults: what happens at the moment, what is mended after it, which exit statuses are promised."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from support.faults import remains
from support.faults.cluster import Replicated, Small
from support.faults.wire import Line
from support.poolers import proxy_before
from support.processes import alive
from support.waiting import LIMIT, wait_until

if TYPE_CHECKING:
    from support.faults.trial import Trial

__all__ = ["FAULTS", "Fault"]

_SIDES = ("before", "during", "after")
#: The server went: the command failed, found its surroundings broken, or learned that it was done.
_LOST = frozenset({0, 1, 69})


@dataclass(frozen=True)
class Fault:
    """``strike`` is called at the moment, with the connection it is counted on, if so; ``mend`` afterwards.

    ``statuses`` are those the command may end with. 0 is believed only where everything was done.
    """

    strike: Callable[[Trial, Any], None]
    statuses: frozenset[int]
    mend: Callable[[Trial], None] = lambda trial: None
    sides: tuple[str, ...] = _SIDES


def _signal(number: signal.Signals) -> Fault:
    def strike(trial: Trial, line: Line | None) -> None:
        trial.process.send_signal(number)  # not by its number, which may be another's once it has ended
        if number == signal.SIGKILL and line is not None:
            line.cut()

    return Fault(strike, frozenset({-number} if number == signal.SIGKILL else {0, 130, *_died_of(number)}))


def _died_of(number: signal.Signals) -> set[int]:
    """What a process ends with that a signal other than Ctrl-C ended."""
    return set() if number == signal.SIGINT else {-number, 128 + number}


def _gone(trial: Trial, line: Line, how: Callable[[], object]) -> None:
    how()
    wait_until(lambda: not alive(line.pid), "the backend is gone")


def _terminate(trial: Trial, line: Line) -> None:
    _gone(trial, line, lambda: trial.cluster.execute(f"SELECT pg_terminate_backend({line.pid})"))


def _kill(trial: Trial, line: Line) -> None:
    """The server takes that for a crash: it ends all sessions and recovers."""
    with suppress(ProcessLookupError):
        _gone(trial, line, lambda: os.kill(line.pid, signal.SIGKILL))


def _crash(trial: Trial, line: Line) -> None:
    trial.cluster.crash()


def _cut(trial: Trial, line: Line) -> None:
    line.cut()


def _half(trial: Trial, line: Line) -> None:
    """The client sees its connection end; the server learns of it when the next run has begun."""
    line.lingers = threading.Event()
    line.cut()
    trial.lingering = line.lingers


def _learned(trial: Trial) -> None:
    if trial.lingering is not None:
        threading.Timer(1.0, trial.lingering.set).start()


def _alive_again(trial: Trial) -> None:
    trial.cluster.return_to_life()


def _second(trial: Trial, line: Line) -> None:
    """The same command once more, past the wire, until it has ended or says that it waits."""
    trial.second = trial.spawn(trial.scenario.database.dsn)
    second = trial.second
    wait_until(lambda: second.poll() is not None or "waiting up to" in trial.said(), "the second is there")


def _joined(trial: Trial) -> None:
    assert trial.second is not None
    statuses = [trial.process.returncode, trial.second.wait(LIMIT)]
    assert set(statuses) <= {0, trial.scenario.busy}, f"the second ended with {statuses[1]}: {trial.story}"
    trial.scenario.runs = statuses.count(0)


def _pooled(trial: Trial) -> None:
    """After a kill somebody gives the pooler's address: refused, and nothing is done."""
    database = trial.scenario.database
    wait_until(lambda: database.backends() == 0, "the killed run is gone")
    before = database.execute("TABLE trace")
    with proxy_before(database.dsn) as pooled:
        status = trial.spawn(pooled).wait(LIMIT)
    assert status == 69 and "goes through a pooler" in trial.said(), f"{status}: {trial.story}"
    assert database.execute("TABLE trace") == before, trial.story


def _set_back(trial: Trial) -> None:
    """The clock was ahead by a year when the killed run wrote what it did, and is right now."""
    wait_until(lambda: trial.scenario.database.backends() == 0, "the killed run is gone")
    trial.scenario.from_the_future()


def _standby(trial: Trial, line: Line) -> None:
    """The standby dies. Whatever waits for it from now on is struck there: canceled, killed, terminated."""
    assert isinstance(trial.cluster, Replicated)
    trial.cluster.standby.crash()
    trial.blows = threading.Thread(target=_while_it_waits, args=(trial, trial.cluster))
    trial.blows.start()


def _while_it_waits(trial: Trial, cluster: Replicated) -> None:
    blow = ("INT", "TERM", "KILL", "terminate")[int(trial.moment.chance[2] * 4)]
    while trial.process.poll() is None:
        for pid in cluster.committing(trial.scenario.name):
            if blow == "terminate":
                cluster.execute(f"SELECT pg_terminate_backend({pid})")
            else:
                trial.process.send_signal(signal.Signals[f"SIG{blow}"])
            wait_until(
                lambda pid=pid: (
                    trial.process.poll() is not None or pid not in cluster.committing(trial.scenario.name)
                ),
                "the wait is broken off",
            )


def _standby_back(trial: Trial) -> None:
    assert isinstance(trial.cluster, Replicated) and trial.blows is not None
    trial.blows.join(LIMIT)
    trial.cluster.standby.return_to_life()
    trial.cluster.in_step()


def _fill(trial: Trial, line: Line) -> None:
    """No room for data, and in half of the moments none for the next file of WAL: then the server crashes."""
    assert isinstance(trial.cluster, Small)
    trial.cluster.fill()
    if trial.moment.chance[2] < 0.5:
        with suppress(psycopg.Error):
            trial.cluster.execute("SELECT pg_switch_wal()")


def _room(trial: Trial) -> None:
    assert isinstance(trial.cluster, Small)
    trial.cluster.free()
    trial.cluster.return_to_life()


def _own_server(trial: Trial, line: None) -> None:
    """The server that the command started for itself dies, in half of the moments with its supervisor."""
    found = remains.processes(trial.mark)
    words = ["postgres -D", "pgrehearse-supervisor"] if trial.moment.chance[1] < 0.5 else ["postgres -D"]
    for process in found:
        if any(word in process for word in words):
            with suppress(ProcessLookupError):
                os.kill(int(process.split()[0]), signal.SIGKILL)


_KILL = _signal(signal.SIGKILL)
_TERM = _died_of(signal.SIGTERM)
FAULTS: dict[str, Fault] = {
    "INT": _signal(signal.SIGINT),
    "TERM": _signal(signal.SIGTERM),
    "HUP": _signal(signal.SIGHUP),
    "KILL": _KILL,
    "terminate": Fault(_terminate, _LOST),
    "kill9": Fault(_kill, _LOST, _alive_again),
    "crash": Fault(_crash, _LOST, _alive_again),
    "cut": Fault(_cut, _LOST),
    "half": Fault(_half, _LOST, _learned),
    "two": Fault(_second, frozenset({0, 69}), _joined),
    "pooler": Fault(_KILL.strike, _KILL.statuses, _pooled),
    "clock": Fault(_KILL.strike, _KILL.statuses, _set_back),
    "standby": Fault(_standby, _LOST | {130, -signal.SIGKILL, *_TERM}, _standby_back, ("before",)),
    "server": Fault(_own_server, _LOST),
    "full": Fault(_fill, _LOST, _room),
}
