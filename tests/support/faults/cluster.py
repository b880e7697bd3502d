"""A server that may crash, lose its standby, or run out of room, and comes back with its data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.servers import binaries, cluster
from pgrehearse.servers.account import account, own
from pgrehearse.servers.binaries import client
from pgrehearse.servers.supervisor import supervise
from support.majors import TEST_MAJOR
from support.processes import alive
from support.waiting import LIMIT, wait_until

__all__ = ["Cluster", "Replicated", "Small"]


class Cluster:
    """A server on its own data directory. ``settings`` go on top of ours; ``copy`` makes it a standby."""

    def __init__(self, copy: Path | None = None, **settings: str) -> None:
        self.binaries = cluster.runnable(binaries.find(TEST_MAJOR))
        self.folder = cluster.run_dir()
        self._copy: Path | None = copy or cluster.prepared(self.binaries)
        self._settings = settings
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def dsn(self, name: str = "postgres") -> str:
        return make_conninfo("", host=str(self.folder), port="5432", user="postgres", dbname=name)

    def execute(self, text: str, name: str = "postgres") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn(name), autocommit=True) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start the server on its data, and return when it accepts connections."""
        for note in ("exited", "stop"):
            (self.folder / note).unlink(missing_ok=True)
        command = [str(self.binaries.bindir / "postgres"), "-D", str(self.folder / "data")]
        self._supervisor = supervise(
            [*self._prefix(), *command, "-k", str(self.folder)],
            self.folder,
            self.folder / "log",
            copy=self._copy,
            settings=self._settings if self._copy else {},
        )
        self._copy = None
        self.wait()

    def _prefix(self) -> list[str]:
        """What stands before the server's command."""
        return []

    def alive(self) -> bool:
        """Whether the server lets a client in now."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.dsn(), connect_timeout=5):
            return True
        return False

    def wait(self) -> None:
        """Return when the server lets clients in, after a start or a recovery."""
        wait_until(self.alive, f"the server is there\n{self.log()}", LIMIT)

    def log(self) -> str:
        """The last lines of the server's log."""
        with suppress(OSError):
            return "\n".join((self.folder / "log").read_text("utf-8", errors="replace").splitlines()[-20:])
        return ""

    def crash(self) -> None:
        """End every process of the server at once, without a checkpoint."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text("utf-8").split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        wait_until(lambda: not alive(postmaster), "the server is dead")
        self.stop()

    def stop(self) -> None:
        """End the server and its supervisor; the data stays."""
        if self._supervisor is None:
            return
        assert self._supervisor.stdin is not None
        with suppress(BrokenPipeError):
            self._supervisor.stdin.write(b"keep\n")
        with suppress(BrokenPipeError):
            self._supervisor.stdin.close()
        self._supervisor.wait(LIMIT)
        self._supervisor = None

    def return_to_life(self) -> None:
        """Start the server if it was stopped or ends by itself, and wait for it in any case.

        Who dies of a full disk in its recovery takes its time: such a server is neither there nor gone at the
        first look.
        """
        wait_until(
            lambda: self._supervisor is None or self._exited() or self.alive(),
            f"the server is there or gone\n{self.log()}",
            LIMIT,
        )
        if self._exited():
            self.stop()
        if self._supervisor is None:
            self.start()

    def _exited(self) -> bool:
        return (self.folder / "exited").exists()


class Replicated(Cluster):
    """A server with a synchronous standby: without it, every COMMIT waits."""

    def __enter__(self) -> Self:
        super().__enter__()
        base = Path(tempfile.mkdtemp(prefix="pgr-base-"))
        program = str(client("pg_basebackup", self.binaries.major))
        copying = [program, "-d", self.dsn(), "-D", str(base / "data")]
        subprocess.run([*copying, "-R", "-c", "fast", "--no-sync"], check=True, capture_output=True)
        # What -R writes knows options of our libpq that an older server's does not; the last line counts.
        with (base / "data" / "postgresql.auto.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(f"primary_conninfo = 'host={self.folder} port=5432 user=postgres'\n")
        own(base)
        base.chmod(0o755)
        self.standby = Cluster(copy=base / "data").__enter__()
        shutil.rmtree(base)
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.execute("SELECT pg_reload_conf()")
        self.in_step()
        return self

    def __exit__(self, *exc: object) -> None:
        self.execute("ALTER SYSTEM RESET synchronous_standby_names")
        self.execute("SELECT pg_reload_conf()")
        self.standby.__exit__()
        super().__exit__()

    def in_step(self) -> None:
        """Return when commits wait for the standby, and need not wait long."""
        query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
        wait_until(lambda: self.execute(query) == [(1,)], "the standby is in step")

    def committing(self, database: str) -> list[int]:
        """Backends of the program under trial that wait in COMMIT, or its like, for the standby."""
        query = f"SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = '{database}'"
        return [int(pid) for (pid,) in self.execute(query)]


#: Keeps a file system in memory that only its children see; $1 the folder, $2 what is copied there, $3 its
#: size. It ends with its standard input, and the file system with the last process that sees it.
_HOLDER = r"""
mkdir -p "$1" && mount -t tmpfs -o "size=$3,mode=700" tmpfs "$1" && cp -R "$2/." "$1" || exit 1
echo ready
while read -r word; do
  case $word in
    fill) cat /dev/zero >"$1/ballast" 2>/dev/null ;;
    free) rm -f "$1/ballast" ;;
  esac
  echo done
done
"""


class Small(Cluster):
    """A server on a disk that can be full. Skips, and says so, where no private file system can be made."""

    size = "200m"

    def __enter__(self) -> Self:
        private = [
            "unshare",
            "--user",
            "--map-current-user",
            "--keep-caps",
            "--mount",
            "/bin/sh",
            "-c",
            _HOLDER,
        ]
        who = account()
        self._holder = subprocess.Popen(
            [*private, "holder", str(self.folder / "data"), str(self._copy), self.size],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            **({"user": who.uid, "group": who.gid, "extra_groups": []} if who else {}),
        )
        if self._answer() != "ready":
            assert self._holder.stderr is not None
            pytest.skip(f"NOT RUN: no disk can be made that may be full: {self._holder.stderr.read()}")
        self._copy = None
        return super().__enter__()

    def __exit__(self, *exc: object) -> None:
        super().__exit__()
        self._holder.communicate()

    def _prefix(self) -> list[str]:
        return ["nsenter", "-U", "-m", "--preserve-credentials", "-t", str(self._holder.pid), "--"]

    def _answer(self, word: str = "") -> str:
        assert self._holder.stdin is not None and self._holder.stdout is not None
        if word:
            self._holder.stdin.write(f"{word}\n")
            self._holder.stdin.flush()
        return self._holder.stdout.readline().strip()

    def fill(self) -> None:
        """Leave no byte free on the disk."""
        self._answer("fill")

    def free(self) -> None:
        """Make room again."""
        self._answer("free")
