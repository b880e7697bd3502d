"""A worker, or the command that applies, is killed amid a fleet: nothing lost, nothing twice.

The seed says how many databases are done then. See `support.faults.moments`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psycopg
import pytest

from pgrehearse.promotion import audit
from pgrehearse.servers import Servers
from support.faults.moments import VARIABLE, Moment, chosen
from support.fleets import Fleet, fleet_on
from support.majors import RECENT
from support.waiting import LIMIT, wait_until

#: In a sample fewer databases are made.
SIZE = 50 if os.environ.get(VARIABLE) else 12
#: Seconds until another worker has each database of the one that was killed.
RECOVERY = 30.0
_HELD = """
SELECT number, attempt, split_part(worker, ':', 2)::int FROM pgrehearse_promotion.fleet
 WHERE state = 'working' AND promotion = (SELECT max(id) FROM pgrehearse_promotion.promotion)
"""
_AGAIN = """
SELECT count(*) FROM pgrehearse_promotion.fleet
 WHERE promotion = (SELECT max(id) FROM pgrehearse_promotion.promotion)
   AND number = {} AND (attempt > {} OR state = 'done')
"""
_WAVES = """
SELECT wave, array_agg(state) FROM pgrehearse_promotion.fleet
 WHERE promotion = (SELECT max(id) FROM pgrehearse_promotion.promotion) GROUP BY wave ORDER BY wave
"""


@pytest.fixture(scope="module")
def fleet(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet_on(servers.get(RECENT), tmp_path_factory.mktemp("fleet"), SIZE) as made:
        made.declare("canary = 1\nwave = 20")
        yield made


def moments(command: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("moment", [one for one in chosen() if one.command == command], ids=str)


def requested(fleet: Fleet) -> list[str]:
    """A new migration is requested: in a transaction, or without. Returns what is traced in the end."""
    version = 101 + len(list(fleet.root.glob("db/migrations/*.sql")))  # compared as text
    if version % 2:
        fleet.migration(version, "SELECT pg_sleep(0.1);")
    else:
        index = f"CREATE INDEX CONCURRENTLY trace_{version} ON trace (at);"
        fleet.migration(version, index, transaction=False)
    fleet.request()
    return [str(number) for number in range(101, version + 1)]


def done_once(fleet: Fleet, everything: list[str], moment: Moment) -> None:
    """Everywhere, and the account says so."""
    for name in fleet.names:
        assert fleet.traces(name) == everything, f"{name}; {moment.again}"
        twice = "SELECT count(*) - count(DISTINCT version) FROM pgrehearse.attempt WHERE outcome = 'done'"
        assert fleet.database(name).one(twice) == 0
        invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
        assert fleet.database(name).one(invalid) == 0
    assert set(fleet.states().values()) == {"done"}
    assert fleet.state() == "applied"
    with psycopg.connect(fleet.home.dsn, autocommit=True) as connection:
        assert audit.read(connection).problems == ()


@moments("fleet")
def test_a_worker_is_killed(fleet: Fleet, moment: Moment) -> None:
    everything = requested(fleet)
    first, second = fleet.start("worker"), fleet.start("worker")
    applying = fleet.start("apply")
    enough = int(moment.chance[0] * (SIZE - 4))
    held: list[tuple[int, int, int]] = []

    def caught() -> bool:
        done = list(fleet.states().values()).count("done")
        held[:] = fleet.home.execute(_HELD) if done >= enough else []
        return bool(held)

    wait_until(caught, f"{enough} done, and one at work", LIMIT)
    victim = held[0][2]
    os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    left = {number: attempt for number, attempt, pid in held if pid == victim}
    wait_until(
        lambda: all(fleet.home.one(_AGAIN.format(*one)) for one in left.items()), "taken over", RECOVERY
    )
    recovered = time.monotonic() - killed
    assert applying.wait(LIMIT) == 0, moment.again
    for worker in (first, second):
        worker.terminate()
        worker.wait(LIMIT)
    print(f"{moment}: {enough} done, {len(left)} at work; taken over after {recovered:.1f} s")
    done_once(fleet, everything, moment)


@moments("rollout")
def test_the_command_that_applies_is_killed(fleet: Fleet, moment: Moment) -> None:
    """What it gave out is finished by the workers, no further wave is begun, and resume does the rest."""
    everything = requested(fleet)
    workers = [fleet.start("worker"), fleet.start("worker")]
    applying = fleet.start("apply")
    enough = int(moment.chance[0] * SIZE)
    fleet.until(["working", "done"], enough + 1)
    applying.kill()
    applying.wait(LIMIT)
    wait_until(lambda: not {"open", "working"} & set(fleet.states().values()), "the wave ends", LIMIT)
    waves = fleet.home.execute(_WAVES)
    assert all(states in ({"done"}, {"planned"}) for states in map(set, (row[1] for row in waves))), waves
    if {"planned"} in [set(row[1]) for row in waves]:
        assert fleet.state() == "applying"
    fleet.good("resume")
    for worker in workers:
        worker.terminate()
        worker.wait(LIMIT)
    done_once(fleet, everything, moment)
