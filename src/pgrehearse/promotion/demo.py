"""Three databases and their people, to play a promotion with: development, staging and production.

They lie on a server that is started for them and ends with the shell that asked for it, or on a disposable
one that is there. A process of its own keeps the server; it is known by `owners.marker`.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from pgrehearse import owners
from pgrehearse.connections import connect
from pgrehearse.environments import marks
from pgrehearse.environments.permissions import Operation, demand
from pgrehearse.environments.target import open_target
from pgrehearse.errors import SetupError, first_line
from pgrehearse.servers import start

__all__ = ["DATABASES", "KEPT_BY", "given", "hold", "kept", "make", "remove", "script", "stop"]

#: The variable that says which process keeps the server.
KEPT_BY = "PGREHEARSE_DEMO"
#: Environment -> database.
DATABASES = {name: f"demo_{name}" for name in ("development", "staging", "production")}
_PEOPLE = ("deploy", "rita", "dora", "dan", "vic")
_GROUPS = ("requester", "approver", "runner", "viewer", "dashboard", "owner")
_STOP_LIMIT = 30.0  # seconds until the server must have ended
_LOOK = 1.0  # seconds between two looks for the shell, where the system cannot tell


def make(conninfo: str) -> None:
    """Make databases and people on the server of ``conninfo``, as a superuser. Raises SetupError."""
    try:
        with connect(conninfo, autocommit=True) as connection:
            for name in _PEOPLE:
                connection.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(name)))
            for environment, database in DATABASES.items():
                made = Identifier(database)
                connection.execute(SQL("CREATE DATABASE {} OWNER deploy TEMPLATE template0").format(made))
                connection.execute(marks.set_statement(database, environment).encode())
    except psycopg.Error as error:
        raise SetupError(
            f"the demonstration cannot be made: {first_line(error)}",
            next_step="pgrehearse environment demo --stop removes one that is there",
        ) from None


def remove(conninfo: str) -> None:
    """Drop databases and people again, whatever of them is there. Raises SetupError."""
    try:
        with connect(conninfo, autocommit=True) as connection:
            for database in DATABASES.values():
                connection.execute(
                    SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(database))
                )
            groups = [f"pgrehearse_{name}_{word}" for name in DATABASES for word in _GROUPS]
            for name in (*groups, *_PEOPLE):
                connection.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(name)))
    except psycopg.Error as error:
        raise SetupError(
            f"the demonstration cannot be removed: {first_line(error)}",
            next_step="drop by hand what DETAIL of the server's log names, then run this again",
        ) from None


def given(dsn: str) -> str:
    """The server of a database that may be used for it. Raises SetupError: its mark forbids that."""
    target = open_target(dsn)
    demand(Operation.REHEARSE, target.environment, target.database)
    return target.conninfo


def script(conninfo: str, keeper: str = "") -> str:
    """What a shell has to read: the variables that `environments.toml` names. No password is in it."""
    with connect(conninfo) as connection:
        info = connection.info
        place: dict[str, Any] = {"host": info.host, "port": info.port}
    lines = [
        f"export {name.upper()}_DSN={shlex.quote(make_conninfo('', dbname=database, **place))}"
        for name, database in DATABASES.items()
    ]
    lines.append("export PGUSER=deploy")
    lines += [f"export {KEPT_BY}={shlex.quote(keeper)}"] if keeper else []
    return "\n".join(lines)


def kept(shell: int) -> str:
    """Start a process that keeps a server for the process ``shell``; what the shell has to read."""
    keeper = subprocess.Popen(
        [sys.executable, "-c", "from pgrehearse.promotion.demo import hold; hold()", str(shell)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        cwd="/",
    )
    assert keeper.stdout is not None
    assert keeper.stderr is not None
    line = keeper.stdout.readline()
    if not line:
        said = keeper.stderr.read().strip().splitlines()
        raise SetupError(
            f"the server of the demonstration did not start: {said[-1] if said else 'no reason given'}",
            next_step="pgrehearse test shows whether a server can be had at all",
        )
    return script(json.loads(line), owners.marker(keeper.pid))


def hold() -> None:
    """Keep a server until SIGTERM, or until the process whose number is the first argument ends."""
    shell = int(sys.argv[1])
    mark = owners.marker(shell)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    with start() as server:
        make(server.dsn())
        print(json.dumps(server.dsn()), flush=True)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):  # whoever reads what the command prints sees its end
            os.dup2(nothing, stream)
        watched: list[int] = [woken]
        with suppress(OSError, AttributeError):
            watched.append(os.pidfd_open(shell))  # readable when it ends
        wait = None if len(watched) > 1 else _LOOK
        while not select.select(watched, [], [], wait)[0]:
            if owners.owner_is_gone(mark):
                break


def stop(mark: str) -> None:
    """End the process that keeps a server, and with it the server. Raises SetupError: it does not end."""
    if owners.owner_is_gone(mark):
        return
    with suppress(ValueError, OSError):
        os.kill(int(mark.split(":")[1]), signal.SIGTERM)
    limit = time.monotonic() + _STOP_LIMIT
    while not owners.owner_is_gone(mark):
        if time.monotonic() > limit:
            raise SetupError(
                "the server of the demonstration does not end",
                next_step=f"look for the process {mark.split(':')[1]}",
            )
        time.sleep(0.02)
