"""PostgreSQL's client programs, pointed at one database."""

from __future__ import annotations

import subprocess

from psycopg.conninfo import conninfo_to_dict

from pgrehearse.environments.connection_strings import environment_variables
from pgrehearse.servers import libpq_environment
from pgrehearse.servers.binaries import client

__all__ = ["environment", "run"]


def run(
    program: str, conninfo: str, *arguments: str, options: str = "", least: int = 0
) -> tuple[int, str, str]:
    """Exit status, output and messages of ``program``, which asks nobody for a password.

    Args:
        conninfo: a connection string; it goes through the environment, because it may hold a password.
        options: settings of the session, as PGOPTIONS has them, after those of ``conninfo``.
        least: the first major the program may be of; 0: any.

    Messages are English, so that they can be read. Raises SetupError: the program is not here.
    """
    done = subprocess.run(
        [str(client(program, least)), "--no-password", *arguments],
        env=environment(conninfo, options),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace").strip()


def environment(conninfo: str, options: str = "") -> dict[str, str]:
    """The environment of a client program, as for `run`: it holds a password, never print it."""
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value}
    parts["options"] = f"{parts.get('options', '')} {options}".strip()
    return libpq_environment({**environment_variables(parts), "LC_ALL": "C"})
