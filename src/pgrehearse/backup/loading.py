"""A dump loaded into a server of its own, by a role without powers: what it holds is code of others."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from psycopg.sql import SQL, Identifier, Literal

from pgrehearse.backup import programs
from pgrehearse.backup.adapter import WorkOptions
from pgrehearse.backup.copying import copied
from pgrehearse.backup.original import Original
from pgrehearse.backup.proof import Refused
from pgrehearse.connections import connect
from pgrehearse.schema import extensions
from pgrehearse.servers import Server, given, ordinary
from pgrehearse.text.split import SplitError, split
from pgrehearse.text.statement import classify, code

__all__ = ["archive", "script", "server"]

_TAKE = "take a new one: pgrehearse backup take"
#: Entries of an archive that only a superuser may make, or that would reach for other servers.
_NOT_HERE = re.compile(
    r"^\d+; \d+ \d+ (EVENT TRIGGER|SUBSCRIPTION|PUBLICATION|PUBLICATION TABLE|PUBLICATION TABLES IN SCHEMA"
    r"|FOREIGN DATA WRAPPER|SERVER|USER MAPPING|COMMENT - EXTENSION|SECURITY LABEL|COMMENT - EVENT TRIGGER) "
)
_EXTENSION = re.compile(r"^\d+; \d+ \d+ EXTENSION - (\S+)")
_IN_SCRIPT = re.compile(rb"^CREATE EXTENSION IF NOT EXISTS [^;]+;$")
#: What the role without powers may not do: owners, privileges, event triggers. Whatever depends on what was
#: left out fails with another state.
_RIGHTS = ("42501", "42704", "0LP01")
_ERROR = re.compile(r"^psql:.*?:(\d+): (?:ERROR|FATAL):\s+([0-9A-Z]{5}): (.*)")
_SETTINGS = {"max_wal_size": "4GB", "maintenance_work_mem": "128MB", "fsync": "off", "autovacuum": "off"}


@contextmanager
def server(place: Path, original: Original, major: int, work: WorkOptions) -> Iterator[Server]:
    """A fresh server in ``place``, with a database of the name, seen through a role without powers."""
    copied(given.fresh(major), place / "data", work.jobs, lambda done: None)
    with (
        given.serve(place, major, _SETTINGS, user="postgres", quiet=60.0, watch=lambda: None) as powerful,
        ordinary(powerful) as found,
    ):
        # By template1: the database may be called postgres.
        with connect(powerful.dsn("template1"), autocommit=True) as connection:
            name, owner = Identifier(original.database), Identifier(found.owner)
            make = SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} OWNER {}")
            connection.execute(SQL("DROP DATABASE IF EXISTS {}").format(name))
            connection.execute(make.format(name, Literal(original.encoding), owner))
            for role in original.roles:
                connection.execute(SQL("CREATE ROLE {}").format(Identifier(role)))
                connection.execute(SQL("GRANT {} TO {}").format(Identifier(role), owner))
        try:
            yield found
        finally:
            with connect(powerful.dsn("template1"), autocommit=True) as connection:
                connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def archive(path: Path, program: Path, found: Server, database: str, work: WorkOptions) -> str:
    """Load what is no script by pg_restore. Raises Refused: something of it was not."""
    with tempfile.NamedTemporaryFile("w+b", prefix="pgrehearse-") as entries:
        programs.run([program, "--list", path], out=entries.file)
        entries.seek(0)
        lines = entries.read().decode("utf-8", "replace").splitlines()
        wanted = [line for line in lines if not _NOT_HERE.match(line)]
        _extend(
            found, database, [f'CREATE EXTENSION "{one[1]}";' for one in map(_EXTENSION.match, lines) if one]
        )
        entries.seek(0)
        entries.truncate()
        entries.write("\n".join(wanted).encode())
        entries.flush()
        done = programs.run(
            [
                program,
                "--no-password",
                "--no-owner",
                "--no-privileges",
                f"--jobs={work.jobs}",
                f"--use-list={entries.name}",
                f"--dbname={database}",
                path,
            ],
            settings=found.env(database),
            watch=lambda _: work.progress("load", 0, 0),
        )
    if done.status != 0:
        raise Refused(f"it was not loaded whole: {done.reason}", _TAKE)
    return f"{len(wanted)} lines of its contents"


def script(path: Path, program: Path, found: Server, database: str, work: WorkOptions) -> str:
    """Load a script by psql, which it may give no commands. Raises Refused: a statement of it failed."""
    with path.open("rb") as file:
        lines = [line.decode("utf-8", "replace") for line in file if _IN_SCRIPT.match(line.rstrip())]
    _extend(found, database, lines)
    # Its own rows could hold a command of psql's, such as one for the shell: pg_dump forbids them since 2025.
    more = [] if _restricts_itself(path) else ["--command", f"\\restrict {secrets.token_hex(16)}"]
    with tempfile.TemporaryFile() as messages:
        done = programs.run(
            [
                program,
                "--no-psqlrc",
                "--no-password",
                "--quiet",
                "--set=VERBOSITY=verbose",
                *more,
                "--file",
                path,
            ],
            settings=found.env(database),
            messages=messages,
            watch=lambda _: work.progress("load", 0, 0),
        )
        wrong = _first_error(messages, path)
    if wrong or done.status != 0:
        raise Refused(f"it was not loaded whole: {wrong or done.reason}", _TAKE)
    return "every statement"


def _extend(found: Server, database: str, statements: list[str]) -> None:
    """Extensions that only a superuser may make, before anything else is there."""
    with connect(found.watching.dsn(database), autocommit=True) as connection:
        for _ in extensions.make(connection, found.owner, split("\n".join(statements))):
            pass


def _restricts_itself(path: Path) -> bool:
    with path.open("rb") as file:
        for line in file:
            if line.strip() and not line.startswith(b"--"):
                return line.startswith(b"\\restrict ")
    return False


def _first_error(messages: IO[bytes], path: Path) -> str:
    """Of the statements that make something: one that drops found nothing, for the database was empty."""
    messages.seek(0)
    found = [error for line in messages if (error := _ERROR.match(line.decode("utf-8", "replace")))]
    wrong = {int(error[1]): error[3].strip() for error in reversed(found) if error[2] not in _RIGHTS}
    if wrong:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number in wrong and _drops(line.decode("utf-8", "replace")):
                    del wrong[number]
    return next((f"line {number}: {said}" for number, said in sorted(wrong.items())), "")


def _drops(line: str) -> bool:
    """Whether it is one statement, and that drops something, as pg_dump --clean writes it."""
    try:
        (statement,) = split(line)
    except (SplitError, ValueError):  # a part of a statement, or several
        return False
    kind = classify(statement)
    return kind.verb == "drop" or (kind.verb == "alter" and " drop " in code(statement.sql))
