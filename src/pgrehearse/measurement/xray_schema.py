"""The prepared database of an x-ray: a reader's schema, loaded from a dump, or dumped from a database."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.measurement.statement.client import Clones
from pgrehearse.servers.base import Server, libpq_environment
from pgrehearse.servers.binaries import client

__all__ = ["Dump", "dump", "load", "loaded"]

_CONNECT_LIMIT = "10"  # seconds
#: Errors of a dump that change nothing about locks: roles, extensions and settings this server does not have.
_HARMLESS = re.compile(
    r'role ".*" does not exist|extension ".*" (?:is not available|does not exist)'
    r"|unrecognized configuration parameter|could not open extension control file"
)
_ERROR = re.compile(r"^psql:(?P<file>.*):(?P<line>\d+): (?:ERROR|FATAL): +(?P<text>.*)$", re.M)


@dataclass(frozen=True)
class Dump:
    """A schema as SQL, and the major of the server it was dumped from."""

    sql: str
    major: int


def dump(dsn: str) -> Dump:
    """The schema of the database ``dsn`` names, as pg_dump writes it in a read-only session.

    Raises:
        SetupError: the DSN cannot be read, or the database not reached or dumped. No message holds
            a password.
    """
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    except psycopg.Error:  # what libpq says of it may quote a password
        raise SetupError(
            "the DSN cannot be read as a connection string",
            next_step="write postgresql://user@host:port/database or 'host=... dbname=...'",
        ) from None
    parts.setdefault("connect_timeout", _CONNECT_LIMIT)
    try:
        with psycopg.connect(make_conninfo("", **parts), autocommit=True) as connection:
            major = connection.info.server_version // 10000
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise SetupError(f"the database cannot be reached: {reason}", next_step="check the DSN") from None
    password = parts.pop("password", None)
    environment = {**os.environ, "PGOPTIONS": "-c default_transaction_read_only=on"}
    if password is not None:
        environment["PGPASSWORD"] = password
    options = ["--schema-only", "--no-owner", "--no-privileges", "--lock-wait-timeout=5s"]
    done = subprocess.run(
        [str(client("pg_dump")), *options, "--dbname", make_conninfo("", **parts)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(
            f"pg_dump failed: {done.stderr.strip()}",
            next_step="dump the schema yourself with pg_dump -s and give it with --schema",
        )
    return Dump(done.stdout, major)


def load(server: Server, database: str, file: Path) -> list[str]:
    """Run ``file`` in ``database`` with psql. Returns what could not be made and does not matter here.

    Raises:
        DocumentError: no such file, or an error that does matter, with the line it stands on.
    """
    if not file.is_file():
        raise DocumentError("no such file", path=file, next_step="check the spelling")
    done = subprocess.run(
        [str(client("psql")), "-X", "-q", "-o", os.devnull, "-v", "rows=1000", "-f", str(file)],
        env=libpq_environment({**server.env(database), "PGOPTIONS": "-c client_min_messages=error"}),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    skipped = []
    for match in _ERROR.finditer(done.stderr):
        if not _HARMLESS.search(match["text"]):
            raise DocumentError(
                match["text"],
                path=file,
                line=int(match["line"]),
                next_step="mend it, or dump the schema again with pg_dump -s",
            )
        skipped.append(f"{file}:{match['line']}: {match['text']}")
    return skipped


@contextmanager
def loaded(server: Server, files: list[Path]) -> Iterator[tuple[str, list[str]]]:
    """A new database that holds ``files``, dropped afterwards: its name, and what could not be made."""
    with Clones(server, "template0") as clones:
        name = clones.create()
        yield name, [note for file in files for note in load(server, name, file)]
