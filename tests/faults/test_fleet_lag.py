"""A standby falls behind while a promotion goes over a fleet: no further wave is begun until it caught up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.faults.cluster import Replicated
from support.faults.moments import VARIABLE
from support.fleets import Fleet, fleet_on
from support.waiting import wait_until

_BEHIND = """
SELECT coalesce(max(extract(epoch FROM replay_lag)), 0) FROM pg_stat_replication
 WHERE replay_lsn < pg_current_wal_lsn()
"""


#: In that database it goes on until the standby is behind.
_WAITS = """
DO $$ BEGIN
    FOR n IN 1..600 LOOP
        EXIT WHEN current_database() <> '{}' OR EXISTS (
            SELECT FROM pg_stat_replication WHERE replay_lag > '3 s');
        PERFORM pg_sleep(0.1);
    END LOOP;
END $$;
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Replicated]:
    with Replicated() as made:
        yield made


@pytest.fixture
def fleet(cluster: Replicated, tmp_path: Path) -> Iterator[Fleet]:
    """Three databases whose standby is in step."""
    with fleet_on(cluster, tmp_path, 3) as made:
        made.declare('canary = 1\nlag = "1s"', queue=False)
        cluster.execute(f"GRANT pg_read_all_stats TO {made.deploy}")
        yield made
        cluster.standby.execute("SELECT pg_wal_replay_resume()")


def behind(cluster: Replicated) -> float:
    """Seconds, after something was written that the standby tells about."""
    cluster.execute("SELECT pg_logical_emit_message(true, 'test', 'x')")
    return float(cluster.execute(_BEHIND)[0][0])


def caught_up(cluster: Replicated) -> None:
    cluster.standby.execute("SELECT pg_wal_replay_resume()")
    level = "SELECT bool_and(replay_lsn = pg_current_wal_lsn()) FROM pg_stat_replication"
    wait_until(lambda: cluster.execute(level) == [(True,)], "the standby caught up")


def test_the_next_wave_waits_until_it_caught_up(fleet: Fleet, cluster: Replicated) -> None:
    first, *others = fleet.names
    fleet.migration(1, _WAITS.format(first))
    fleet.request()
    applying = fleet.start("apply")
    fleet.until(["working"])
    cluster.standby.execute("SELECT pg_wal_replay_pause()")

    def ended() -> bool:
        behind(cluster)
        return applying.poll() is not None

    wait_until(ended, "it stops")
    _, said = applying.communicate()
    assert f"a standby of {first} was more than 00:00:01 behind" in said
    assert fleet.states() == {first: "done"} | dict.fromkeys(others, "planned")
    assert [fleet.traces(name) for name in fleet.names] == [["1"], [], []]
    caught_up(cluster)
    fleet.good("resume")
    assert [fleet.traces(name) for name in fleet.names] == [["1"]] * 3


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason="make faults runs it")
def test_nothing_is_begun_while_it_is_behind(fleet: Fleet, cluster: Replicated) -> None:
    """Also where a migration is done before anybody looks a second time."""
    fleet.migration(1)
    fleet.request()
    cluster.standby.execute("SELECT pg_wal_replay_pause()")
    wait_until(lambda: behind(cluster) > 2, "the standby is behind")
    stopped = fleet.call("apply")
    assert stopped.status == 1, stopped.said
    assert "more than 00:00:01 behind" in stopped.err
    assert [fleet.traces(name) for name in fleet.names] == [[], [], []]
    caught_up(cluster)
    fleet.good("resume")
    assert [fleet.traces(name) for name in fleet.names] == [["1"]] * 3
