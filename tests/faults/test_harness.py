"""The harness itself: what it would notice, where its faults happen, which moments it takes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from support.databases import Database
from support.faults import remains
from support.faults.cluster import Cluster
from support.faults.moments import ALL, SAMPLE, Moment, chosen
from support.faults.trial import SCENARIOS, Stage, Trial
from support.faults.wire import Line, Point
from support.waiting import wait_until


@pytest.fixture
def trial(stage: Stage, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Trial]:
    with Trial(stage, Moment(getattr(request, "param", "up"), "none", 0), tmp_path) as made:
        yield made


def test_there_are_two_hundred_moments_and_the_shards_share_them() -> None:
    assert len(ALL) == len(set(map(str, ALL))) >= 200
    assert {str(moment) for shard in "1234" for moment in chosen(f"{shard}/4")} == set(map(str, ALL))
    every = {*SCENARIOS, "fleet", "rollout"}
    assert {moment.command for moment in SAMPLE} == {moment.command for moment in ALL} == every
    assert len({moment.fault for moment in SAMPLE}) >= 6
    assert chosen("up-KILL-999") == [Moment("up", "KILL", 999)]


@pytest.mark.parametrize("name", ["up-KILL", "up-KILL-x", "down-KILL-1", "up-rain-1", "5/4", "0/4"])
def test_a_choice_that_means_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="PGREHEARSE_FAULTS"):
        chosen(name)


def test_the_same_seed_is_the_same_moment() -> None:
    assert Moment("up", "cut", 3).chance == Moment("up", "cut", 3).chance != Moment("up", "cut", 4).chance


@pytest.mark.parametrize("trial", list(SCENARIOS), indirect=True)
def test_before_the_command_everything_is_missing(stage: Stage, trial: Trial, tmp_path: Path) -> None:
    """The control of every judgement: it is red where nothing was done, and green after a whole run."""
    assert trial.scenario.wrong()
    assert stage.length(trial.moment.command, tmp_path) > 0, "the whole run, which moments are counted by"


HARMS = (
    "DELETE FROM trace WHERE what = '3 last'",
    "INSERT INTO trace (what) VALUES ('3 last')",
    "INSERT INTO trace SELECT * FROM aside.trace",
    "UPDATE item SET n = id WHERE id = 7",
    "DELETE FROM item WHERE id = 7",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'item_n'::regclass",
    "CREATE INDEX item_n_ccnew ON item (n)",
    "DELETE FROM schema_migrations WHERE version = '5'",
    "UPDATE pgrehearse.attempt SET outcome = 'running', finished = NULL WHERE version = '5'",
    "UPDATE pgrehearse.statement SET outcome = 'running' WHERE number = 2",
    "DELETE FROM pgrehearse.attempt WHERE version = '5'",
)


def test_what_was_lost_or_done_twice_is_noticed(trial: Trial) -> None:
    trial.start(None)
    assert trial.end() == 0, trial.story
    whole = trial.scenario.name
    for harm in HARMS:
        trial.cluster.execute(f"CREATE DATABASE {whole}_harmed TEMPLATE {whole}")
        trial.scenario.database = Database(trial.cluster.dsn(f"{whole}_harmed"))
        assert trial.scenario.wrong() == []
        trial.scenario.database.execute(harm)
        assert trial.scenario.wrong(), f"not noticed: {harm}"
        trial.cluster.execute(f"DROP DATABASE {whole}_harmed WITH (FORCE)")


def test_what_was_left_behind_is_noticed(trial: Trial) -> None:
    """A process in a session of its own, a session, a lock, a draft, a temporary file, a database."""
    trial.start(None)
    assert trial.end() == 0
    trial._nothing_left()
    shell = subprocess.Popen(
        ["/bin/sh", "-c", "setsid sleep 60 & echo $!; wait"],
        env={remains.MARK: trial.mark},
        stdout=subprocess.PIPE,
    )
    try:
        wait_until(lambda: len(remains.processes(trial.mark)) == 2, "both processes are seen")
    finally:
        assert shell.stdout is not None
        sleeper = int(shell.stdout.readline())
        subprocess.run(["kill", str(sleeper)], check=True)
        shell.wait()
        shell.stdout.close()
    wait_until(lambda: not remains.processes(trial.mark), "both are gone")
    (trial.folder / ".x.md.1234.tmp").touch()
    with pytest.raises(AssertionError):
        trial._nothing_left()
    (trial.folder / ".x.md.1234.tmp").unlink()
    with psycopg.connect(trial.scenario.database.dsn) as holder:
        holder.execute("SELECT pg_advisory_lock(1, 2)")
        with pytest.raises(AssertionError):
            trial._nothing_left()
    trial._nothing_left()


@pytest.mark.parametrize("side", ["before", "during", "after"])
def test_the_fault_happens_on_that_side_of_the_request(trial: Trial, side: str) -> None:
    """Of simple and extended queries. After: the answer is there, and the client has not seen it."""
    database = trial.scenario.database
    database.execute("CREATE TABLE seen (n int)")
    seen = []

    def act(line: Line) -> None:
        seen.append(database.one("SELECT count(*) FROM seen"))
        assert line.pid > 0

    trial.wire.point = Point(3, side, 0.2, act)
    with psycopg.connect(make_conninfo(database.dsn, host=str(trial.wire.folder)), autocommit=True) as client:
        client.execute("SELECT 1")
        client.execute("SELECT %s::int", [2])
        client.execute("INSERT INTO seen VALUES (%s)", [3])
        assert client.info.backend_pid == client.execute("SELECT pg_backend_pid()").fetchone()[0]
    assert seen == [0 if side == "before" else 1]
    assert "INSERT INTO seen" in trial.wire.requests[2]


def test_a_copy_is_answered_before_its_rows(trial: Trial) -> None:
    """Its answer is held until the fault, not until rows that only come after it."""
    database = trial.scenario.database
    database.execute("CREATE TABLE seen (n int)")
    trial.wire.point = Point(1, "after", 0, lambda line: None)
    dsn = make_conninfo(database.dsn, host=str(trial.wire.folder))
    with (
        psycopg.connect(dsn, autocommit=True) as client,
        client.cursor().copy("COPY seen FROM STDIN") as copy,
    ):
        copy.write("1\n2\n")
    assert trial.wire.requests[0].startswith("COPY seen")
    assert database.one("SELECT count(*) FROM seen") == 2


def test_a_cut_connection_is_cut(trial: Trial) -> None:
    dsn = make_conninfo(trial.scenario.database.dsn, host=str(trial.wire.folder))
    trial.wire.point = Point(2, "after", 0, lambda line: line.cut())
    with psycopg.connect(dsn, autocommit=True) as client:
        client.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            client.execute("CREATE TABLE seen ()")
    assert trial.scenario.database.one("SELECT to_regclass('seen')::text") == "seen"


def test_a_server_that_dies_at_the_first_look_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recovery on a full disk ends after somebody has looked: neither there nor gone at that moment."""
    with Cluster() as cluster:
        looks = []

        def look() -> bool:
            looks.append(1)
            if len(looks) == 1:
                postmaster = (cluster.folder / "data" / "postmaster.pid").read_text("utf-8").split()[0]
                os.kill(int(postmaster), signal.SIGQUIT)
                return False
            return Cluster.alive(cluster)

        monkeypatch.setattr(cluster, "alive", look)
        cluster.return_to_life()
        assert cluster.execute("SELECT 1") == [(1,)]
