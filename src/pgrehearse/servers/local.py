"""Servers we start ourselves: on a private socket, under a supervisor, gone when we are gone."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from pgrehearse.connections import connect
from pgrehearse.errors import SetupError
from pgrehearse.processes import ended
from pgrehearse.servers import binaries, cluster, keeping
from pgrehearse.servers.base import Server
from pgrehearse.servers.binaries import Binaries
from pgrehearse.servers.process_environment import alone
from pgrehearse.servers.supervisor import supervise

__all__ = ["LocalServer", "reopen", "start"]

_START_LIMIT = 60.0  # seconds until a fresh server must accept connections, on a busy machine too
_RECOVERY_LIMIT = 120.0  # the same for a kept one, which may have to replay WAL first
_STOP_LIMIT = 20.0  # the supervisor itself escalates after 8 and 16 seconds


def start(major: int | None = None, *, settings: Mapping[str, str] = {}) -> Server:
    """Start a disposable server and return it when it accepts connections.

    Args:
        major: one of `majors.SUPPORTED`; None for the default (see `binaries.find`).
        settings: server settings on top of ours, for example ``{"lock_timeout": "1s"}``.

    Raises:
        SetupError: no such PostgreSQL can be had, or it did not start.
    """
    found = cluster.runnable(binaries.find(major))
    source = cluster.prepared(found)
    directory = cluster.run_dir()
    try:
        files = directory / "data", directory / "log"
        server = LocalServer(found, directory, *files, secrets.token_hex(3), copy=source, settings=settings)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    server.wait_ready(_START_LIMIT)
    return server


def reopen(id: str) -> Server:
    """Start the kept server ``id`` again, on its own data. `stop` leaves it kept.

    Raises:
        SetupError: no such kept server, it is open already, or its PostgreSQL is gone.
    """
    entry = keeping.entry(id)
    found = cluster.runnable(binaries.find(entry.major))
    with keeping.opened(entry) as lock:
        directory = cluster.run_dir()
        try:
            server = LocalServer(found, directory, entry.data, entry.log, entry.id, lock=lock)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise
    server.wait_ready(_RECOVERY_LIMIT)
    return server


class LocalServer(Server):
    """A server under our supervisor. Made by `start`, `reopen` and `given.serve`.

    No way of ending this process leaves anything behind: the supervisor sees the pipe close, stops
    the server and removes its directory. A child made with ``os.fork`` alone shares the pipe, so the
    server then lives until that child ends too.
    """

    copies = "FILE_COPY"
    ours = True

    def __init__(
        self,
        found: Binaries,
        directory: Path,
        data: Path,
        log: Path,
        id: str,
        *,
        copy: Path | None = None,
        settings: Mapping[str, str] = {},
        lock: int | None = None,
        options: Sequence[str] = (),
        user: str = "postgres",
    ) -> None:
        self._user = user
        self.major, self.version, self.source, self.id = found.major, found.version, found.source, id
        self._directory, self._data, self._log = directory, data, log
        self._reopened = lock is not None
        self._tail = ""
        command = [str(found.bindir / "postgres"), "-D", str(data), "-k", str(directory), *options]
        self._supervisor = supervise(
            command,
            directory,
            log,
            copy=copy,
            settings=settings,
            lock=lock,
            throwaway=data.is_relative_to(directory),
        )
        self._finalizer = weakref.finalize(self, _end, self._supervisor, directory, data, os.getpid())

    def dsn(self, dbname: str = "postgres", user: str | None = None) -> str:
        parts = {"host": str(self._directory), "port": "5432", "user": user or self._user, "dbname": dbname}
        return make_conninfo("", **alone(parts))

    def env(self, dbname: str) -> dict[str, str]:
        return {
            "PGHOST": str(self._directory),
            "PGPORT": "5432",
            "PGUSER": self._user,
            "PGDATABASE": dbname,
        }

    def alive(self) -> bool:
        # The kernel answers from the postmaster's listening socket, which dies with it at once.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(2)
            try:
                probe.connect(str(self._directory / ".s.PGSQL.5432"))
            except OSError:
                return False
        return True

    def log_tail(self, lines: int = 20) -> str:
        try:
            text = self._log.read_text("utf-8", errors="replace")
        except OSError:
            return self._tail
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, keep: bool = False) -> None:
        if not self._finalizer.alive:
            return
        self._tail = self.log_tail(200)
        keep = keep and not self._reopened
        self._finalizer.detach()
        _end(self._supervisor, self._directory, self._data, os.getpid(), keep)
        if keep:
            try:
                keeping.store(self.id, self.major, self.version, self._data, self._log)
            finally:
                shutil.rmtree(self._directory, ignore_errors=True)

    def wait_ready(self, limit: float) -> None:
        """Return when a connection succeeds.

        Raises:
            SetupError: the server ended, or accepted no connection within ``limit`` seconds.
        """
        deadline = time.monotonic() + limit
        why = "nothing listens"
        while True:
            if self.alive():  # an attempt in vain takes a hundred times as long as this question
                try:
                    connect(self.dsn(), connect_timeout=5).close()
                    return
                except psycopg.OperationalError as error:
                    why = str(error).strip()
            if (self._directory / "exited").exists() or self._supervisor.poll() is not None:
                why = "it ended while starting"
            elif time.monotonic() < deadline:
                time.sleep(0.01)
                continue
            else:
                why = f"no connection within {limit:g} s ({why})"
            raise self._did_not_start(why)

    def wait_recovered(self, quiet: float, watch: Callable[[], None]) -> None:
        """Return when the server takes connections, however long its recovery needs.

        Args:
            quiet: seconds its log may stay as it is; recovery says every ten what it does.
            watch: called again and again meanwhile.

        Raises:
            SetupError: the server ended, or says nothing any more.
        """
        size, since = -1, time.monotonic()
        while True:
            if self.alive() and psycopg.pq.PGconn.ping(self.dsn().encode()) == psycopg.pq.Ping.OK:
                return
            if (self._directory / "exited").exists() or self._supervisor.poll() is not None:
                raise self._did_not_start("it ended while starting")
            now = self._log.stat().st_size if self._log.exists() else 0
            if now != size:
                size, since = now, time.monotonic()
            elif time.monotonic() - since > quiet:
                raise self._did_not_start(f"its log has said nothing for {quiet:g} s")
            watch()
            time.sleep(0.01)

    def _did_not_start(self, why: str) -> SetupError:
        """Stop it and say what its log says last."""
        tail = self.log_tail()
        self.stop()
        return SetupError(
            f"PostgreSQL {self.version} ({self.source}) did not start: {why}\n{tail}".rstrip(),
            next_step="read the log lines above; PGREHEARSE_BINDIR chooses another PostgreSQL",
        )


def _end(
    supervisor: subprocess.Popen[bytes], directory: Path, data: Path, owner: int, keep: bool = False
) -> None:
    """Close the pipe and wait for the supervisor. In a forked child: nothing, the parent does it."""
    if os.getpid() != owner:
        return
    pipe = supervisor.stdin
    assert pipe is not None
    try:
        if keep:
            pipe.write(b"keep\n")
        pipe.close()
    except BrokenPipeError:
        pass  # somebody killed the supervisor; the rest of this function copes
    if not ended(supervisor, _STOP_LIMIT):
        supervisor.kill()
        supervisor.wait()
    if supervisor.returncode != 0:
        _stop_unsupervised(data)
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)


def _stop_unsupervised(data: Path) -> None:
    """Stop a postmaster whose supervisor was killed: its own pid file says which process it is."""
    try:
        pid = int((data / "postmaster.pid").read_text("utf-8").split("\n", 1)[0])
        os.kill(pid, 3)
    except (OSError, ValueError):
        return
    deadline = time.monotonic() + _STOP_LIMIT
    while (data / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
