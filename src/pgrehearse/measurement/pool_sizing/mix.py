"""What the load sends: pgbench scripts of the reader, or transactions on our own tables, which go again."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from pgrehearse.connections import connect
from pgrehearse.environments.target import Target
from pgrehearse.errors import DocumentError, SetupError, first_line
from pgrehearse.schema.client_programs import environment
from pgrehearse.servers.binaries import client

__all__ = ["DEFAULT_SAID", "Mix", "of_files", "own", "pgbench"]

#: Our tables: pgbench makes its own here, whatever the database has under their names.
_SCHEMA = "pgrehearse_pool"
_SCALE = 1  # 100,000 accounts, 15 MB
#: Four look-ups by key to one transaction that updates a row and inserts one. No row is everybody's.
_DEFAULT = ("--builtin=select-only@4", "--builtin=simple-update@1")
DEFAULT_SAID = "pgbench: 4 look-ups by key to 1 update, on tables of its own"
#: pgbench's commands that start a program of the machine.
_SHELL = re.compile(r"^\s*\\(?:set)?shell\b", re.IGNORECASE)
_WEIGHT = re.compile(r"(?P<file>.+)@(?P<weight>\d+)")
#: Settings of every session of the load: what hangs ends.
_LIMITS = "-c statement_timeout=30s -c idle_in_transaction_session_timeout=30s"
_INIT_LIMIT = 300  # seconds


@dataclass(frozen=True)
class Mix:
    """Transactions with weights, as ``options`` of pgbench. ``settings``: of its sessions."""

    options: tuple[str, ...]
    conninfo: str = field(repr=False)
    settings: str = _LIMITS


def of_files(names: Sequence[str], target: Target) -> Mix:
    """The mix of pgbench scripts, each ``FILE`` or ``FILE@WEIGHT``.

    Raises DocumentError: no such file, or one that starts programs of this machine.
    """
    options = []
    for name in names:
        weighted = _WEIGHT.fullmatch(name)
        file = Path(weighted["file"] if weighted else name)
        try:
            text = file.read_text("utf-8")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise DocumentError(
                f"the mix cannot be read: {reason}", path=file, next_step="name a script of pgbench"
            ) from None
        for line, written in enumerate(text.splitlines(), 1):
            if _SHELL.match(written):
                raise DocumentError(
                    "this would start a program of this machine for every transaction",
                    path=file,
                    line=line,
                    next_step="take \\shell and \\setshell out; the load is what the server gets",
                )
        options.append(f"--file={file.absolute()}@{weighted['weight'] if weighted else 1}")
    return Mix(tuple(options), target.conninfo)


@contextmanager
def own(target: Target) -> Iterator[Mix]:
    """The default mix, its tables made and dropped again. Raises SetupError: they cannot be made."""
    try:
        with connect(target.conninfo, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {_SCHEMA}")
    except psycopg.Error as error:
        raise SetupError(
            f"the load's tables cannot be made: {first_line(error)}",
            next_step=f"DROP SCHEMA {_SCHEMA} CASCADE when a killed run left it; else give --mix, or CREATE"
            " on the database to this role",
        ) from None
    try:
        mix = Mix(_DEFAULT, target.conninfo, f"{_LIMITS} -c search_path={_SCHEMA}")
        pgbench(mix, ["--initialize", "--quiet", f"--scale={_SCALE}"], _INIT_LIMIT)
        yield mix
    finally:
        with connect(make_conninfo(target.conninfo, connect_timeout="10"), autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")


def pgbench(mix: Mix, options: Sequence[str], limit: float, cwd: Path | None = None) -> str:
    """What pgbench prints. ``limit``: seconds until it is ended. Raises SetupError with its complaint."""
    try:
        done = subprocess.run(
            [str(client("pgbench")), *options],
            env=environment(mix.conninfo, mix.settings),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SetupError(
            f"pgbench did not end within {limit:.0f} s",
            next_step="see what the server does: pg_stat_activity",
        ) from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error:" in line] or done.stderr.splitlines()
        said = lines[0].removeprefix("pgbench: ").removeprefix("error: ") if lines else "no message"
        raise SetupError(
            f"the load could not be sent: {said}",
            next_step="try the mix by hand: pgbench -n -f FILE, in this database",
        )
    return done.stdout
