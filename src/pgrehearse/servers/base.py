"""What a server is to the rest of the program, whoever runs it."""

from __future__ import annotations

import shlex
import shutil
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrehearse.servers.binaries import client

__all__ = ["Server"]


class Server(ABC):
    """A running PostgreSQL server.

    Attributes:
        major: 15, 16, 17 or 18.
        version: as PostgreSQL prints it, ``"18.6"``.
        source: where it comes from, in words for people. Never holds a password.
        id: short name of this server, unique on this machine; names it when it is kept.
        copies: the STRATEGY of CREATE DATABASE for copies of some MB. FILE_COPY takes half the time, but two
            checkpoints, which are not to be asked of a server that others use and that writes to a disk.
        ours: we started it, and may stop it and start another.
        owner: the role that new databases belong to; empty for the one that makes them.
    """

    major: int
    version: str
    source: str
    id: str
    copies: str = "WAL_LOG"
    ours: bool = False
    owner: str = ""

    @property
    def watching(self) -> Server:
        """The server as whoever makes databases and watches connects to it: never to run code of others."""
        return self

    @abstractmethod
    def dsn(self, dbname: str = "postgres", user: str | None = None) -> str:
        """Return a libpq connection string. It may hold a password: connect with it, never print it."""

    @abstractmethod
    def env(self, dbname: str) -> dict[str, str]:
        """Return libpq's environment variables for ``dbname``. ``PGPASSWORD`` may be one: never print it."""

    @abstractmethod
    def alive(self) -> bool:
        """True when the server accepts connections now."""

    @abstractmethod
    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the server's log; empty when it cannot be read from here."""

    @abstractmethod
    def stop(self, keep: bool = False) -> None:
        """Stop the server; ``keep`` leaves its data for `reopen`. A second call does nothing."""

    def kept_line(self, dbname: str) -> str:
        """Return the command that opens ``dbname`` again after the run."""
        return f"pgrehearse psql {shlex.quote(f'{self.id}/{dbname}')}"

    def psql_line(self, dbname: str) -> str:
        """Return a command to paste into a shell while the server runs. It holds no password."""
        psql = "psql" if shutil.which("psql") else str(client("psql"))
        shown = {
            name: value
            for name, value in conninfo_to_dict(self.dsn(dbname)).items()
            if "password" not in name and value not in (None, "")
        }
        if set(shown) <= {"host", "port", "user", "dbname"}:
            flags = (("-h", "host"), ("-p", "port"), ("-U", "user"), ("-d", "dbname"))
            words = [psql]
            for flag, name in flags:
                if name in shown:
                    words += [flag, str(shown[name])]
            return shlex.join(words)
        return shlex.join([psql, make_conninfo("", **shown)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: PostgreSQL {self.version}, {self.source}>"
