"""One moment, from the start to the judgement: nothing lost, nothing twice, nothing left behind."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from psycopg.conninfo import make_conninfo

from support.faults import remains
from support.faults.cluster import Cluster, Replicated, Small
from support.faults.documents import Build, Remote, Test
from support.faults.happening import FAULTS, Fault
from support.faults.moments import Moment
from support.faults.promotion import Story
from support.faults.scenarios import Rollback, Run, Scenario, Up
from support.faults.wire import Line, Point, Wire
from support.processes import clean_environment
from support.waiting import wait_until

__all__ = ["SCENARIOS", "Stage", "Trial"]

SCENARIOS: dict[str, type[Scenario]] = {
    "up": Up,
    "rollback": Rollback,
    "run": Run,
    "test": Test,
    "remote": Remote,
    "build": Build,
    "promote": Story,
}

#: Seconds a command may take, with what it waits for.
_LIMIT = 90.0
_TRIES = 3
_CLUSTERS: dict[str, type[Cluster]] = {"standby": Replicated, "full": Small}


class Stage:
    """A server for many trials, and how many requests each command makes when nothing happens."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._clusters: dict[type[Cluster], Cluster] = {}
        self._lengths: dict[str, int] = {}
        self._rests: dict[str, float] = {}

    def cluster(self, fault: str) -> Cluster:
        """The server that ``fault`` needs, started when first asked for."""
        kind = _CLUSTERS.get(fault, Cluster)
        if kind not in self._clusters:
            self._clusters[kind] = self._stack.enter_context(kind())
        return self._clusters[kind]

    def length(self, command: str, folder: Path) -> int:
        """How many requests ``command`` sends; the first time it is found out by an undisturbed run."""
        if command not in self._lengths:
            with Trial(self, Moment(command, "none", 0), folder) as trial:
                trial.start(None)
                assert trial.end() == 0, trial.story
                assert trial.scenario.wrong() == [], trial.story
                requests = len(trial.wire.requests)
                self._lengths[command] = requests if trial.scenario.wired else trial.scenario.progress()
                self._rests[command] = trial.went_on if trial.scenario.goes_on else 0.0
        return self._lengths[command]

    def rest(self, command: str) -> float:
        """Seconds that ``command``, whose length is known, went on after its last progress."""
        return self._rests[command]


class Trial:
    """The command of ``moment`` in ``folder``, on a database of its own."""

    def __init__(self, stage: Stage, moment: Moment, folder: Path) -> None:
        self.stage, self.moment, self.cluster = stage, moment, stage.cluster(moment.fault)
        self._spawned: list[subprocess.Popen[bytes]] = []
        self.mark = secrets.token_hex(8)
        self.lingering: threading.Event | None = None
        self.second: subprocess.Popen[bytes] | None = None
        self.blows: threading.Thread | None = None
        self.told = f"{moment}; again: {moment.again}\n"
        self.folder = folder / self.mark
        self.folder.mkdir()
        self._short = Path(tempfile.mkdtemp(prefix="pgr-fault-"))  # a socket's path must be short
        self._short.chmod(0o755)
        (self._short / "tmp").mkdir()
        (self._short / "tmp").chmod(0o1777)
        self.before = self._databases()
        self.scenario: Scenario = SCENARIOS[moment.command](self.cluster, self.folder, f"t_{self.mark}")

    def __enter__(self) -> Trial:
        self.wire = Wire(self._short, self.cluster.folder).__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.lingering is not None:
            self.lingering.set()
        self.wire.__exit__()
        for process in self._spawned:
            process.kill()
            process.wait()
        self.cluster.return_to_life()
        self.scenario.close()
        for name in self._databases() - self.before:
            self.cluster.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        shutil.rmtree(self._short, ignore_errors=True)

    def start(self, point: Point | None) -> None:
        """Start the command through the wire; ``point`` is where the fault is to happen."""
        self.wire.point = point
        self.wire.requests.clear()
        self.wire.reached.clear()
        self.process = self.spawn(make_conninfo(self.scenario.database.dsn, host=str(self._short)))

    def spawn(self, dsn: str) -> subprocess.Popen[bytes]:
        """Start the command as a process whose outputs go to files."""
        environment = clean_environment(
            PYTHONUNBUFFERED="1", TMPDIR=str(self._short / "tmp"), **{remains.MARK: self.mark}
        )
        with (self.folder / "out").open("ab") as out:
            process = subprocess.Popen(
                self.scenario.command(dsn),
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._spawned.append(process)
        return process

    @property
    def story(self) -> str:
        """What happened, and what the commands printed meanwhile."""
        return f"{self.told}The commands said:\n{self.said()}"

    def said(self) -> str:
        """Everything the commands printed."""
        return (self.folder / "out").read_text("utf-8", errors="replace")

    def end(self) -> int:
        """Wait for the command; its exit status."""
        before, since = self.scenario.progress(), time.monotonic()
        while self.process.poll() is None:
            if self.scenario.progress() != before:
                before, since = self.scenario.progress(), time.monotonic()
            assert time.monotonic() - since < _LIMIT, f"it does not end: {self.story}"
            threading.Event().wait(0.01)
        self.went_on = time.monotonic() - since
        status = self.process.returncode
        self.told += f"exit status {status}, after {len(self.wire.requests)} requests\n"
        return status

    def play(self) -> None:
        """Let the fault happen, run the command again, and judge. Fails with the whole story."""
        fault = FAULTS[self.moment.fault]
        length = self.stage.length(self.moment.command, self.folder.parent)
        if self.scenario.wired:
            self._at_a_request(fault, length)
        else:
            self._at_a_cell(fault, length)
        status = self.end()
        fault.mend(self)
        assert status in fault.statuses, f"exit status {status}: {self.story}"
        assert "this is a bug in pgrehearse" not in self.said(), self.story
        if status == 0:
            wrong = self.scenario.wrong()
            assert not wrong, f"{wrong}, and it said that all is done: {self.story}"
        self._nothing_runs()
        wrong = self.scenario.meanwhile()
        assert not wrong, f"{wrong}: {self.story}"
        if status:
            self._again()
        wrong = self.scenario.wrong()
        assert not wrong, f"{wrong}: {self.story}"
        self._nothing_left()

    def _at_a_request(self, fault: Fault, length: int) -> None:
        where, side, delay = self.moment.chance
        number = 1 + int(where * length)
        point = Point(number, fault.sides[int(side * len(fault.sides))], delay * 0.02, self._strike)
        self.start(point)
        reached = self.wire.reached
        wait_until(lambda: reached.is_set() or self.process.poll() is not None, "the moment", _LIMIT)
        request = self.wire.requests[number - 1 : number]
        self.told += f"struck {point.side} request {number} of {length}: {request}\n"
        # A command may end before what strikes it is done, such as a server that is seen to be dead.
        assert reached.wait(_LIMIT), f"the moment never came: {self.story}"

    def _at_a_cell(self, fault: Fault, length: int) -> None:
        """A moment after a cell told that it runs, or in the time that is left after the last one."""
        where, side, delay = self.moment.chance
        rest = self.stage.rest(self.moment.command)
        late = rest > 0 and side < 0.6
        number = length if late else 1 + int(where * length)
        pause = where * rest if late else delay * 0.1
        self.start(None)
        scenario, process = self.scenario, self.process
        wait_until(lambda: scenario.progress() >= number or process.poll() is not None, "the moment", _LIMIT)
        threading.Event().wait(pause)
        self.told += f"struck {pause:.3f} s after cell {number} of {length}\n"
        fault.strike(self, None)

    def _strike(self, line: Line) -> None:
        FAULTS[self.moment.fault].strike(self, line)

    def _again(self) -> None:
        """Run the command again until it is done; it may find the first one's session still at work."""
        for _ in range(_TRIES):
            self.start(None)
            status = self.end()
            if status == 0:
                return
            assert status == self.scenario.busy, f"cannot be run again: {self.story}"
        raise AssertionError(f"not done after {_TRIES} more runs: {self.story}")

    def _nothing_runs(self) -> None:
        wait_until(
            lambda: not remains.processes(self.mark), f"no process of the command is left: {self.story}"
        )

    def _nothing_left(self) -> None:
        """No process, session, lock, database or file that an undisturbed run would not have left."""
        self._nothing_runs()
        database = self.scenario.database
        own = self.scenario.databases
        wait_until(lambda: not any(one.backends() for one in own), f"no session is left: {self.story}")
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        # A session whose network is gone ends later than the command, and its locks with it.
        wait_until(lambda: database.one(locks) == 0, f"no lock is left: {self.story}")
        assert database.one("SELECT count(*) FROM pg_prepared_xacts") == 0, self.story
        left = self._databases() - self.before - {one.name for one in own}
        assert not left, f"databases are left: {left}: {self.story}"
        assert list(remains.files(self.folder)) == [], self.story
        assert list((self._short / "tmp").iterdir()) == [], self.story

    def _databases(self) -> set[str]:
        return {str(name) for (name,) in self.cluster.execute("SELECT datname FROM pg_database")}
