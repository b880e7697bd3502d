"""Every index of a copy against its table, by pg_amcheck, while other things are asked of the copy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pgrehearse.backup import programs
from pgrehearse.backup.adapter import WorkOptions
from pgrehearse.backup.programs import Ended
from pgrehearse.backup.proof import Refused, Unproven
from pgrehearse.environments.connection_strings import environment_variables
from pgrehearse.errors import first_line

__all__ = ["compared"]

#: pg_amcheck's exit status for damage; 1 is for all that went wrong otherwise.
_DAMAGE = 2
_INVALID = """
SELECT pg_catalog.count(*) FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
 WHERE NOT i.indisvalid
"""
_TICK = 0.1  # seconds between two words on progress


@contextmanager
def compared(connection: psycopg.Connection[Any], dsn: str, work: WorkOptions) -> Iterator[Callable[[], str]]:
    """Compare while the block asks something else; what it gets waits, and says what was found.

    Its exit status is believed only of one database where amcheck is known to be, asked by a superuser: of
    several it is 0 where the extension is in one of them, and for a role without rights it is that of
    damage. Without --heapallindexed it does not see what an index on a changed function lacks.

    Args:
        connection: to the copy, as a superuser.
        dsn: the same database, for the program.

    The block's function raises Refused (damage) or Unproven (it cannot be shown here), and so does nothing
    but that function.
    """
    try:
        comparing = _Comparing(_command(connection, work), dsn)
    except Unproven as missing:
        why = missing

        def unproven() -> str:
            raise why

        yield unproven
        return

    def agreed() -> str:
        while comparing.is_alive():
            comparing.join(_TICK)
            work.progress("pg_amcheck", 0, 0)
        return _said(connection, comparing)

    comparing.start()
    try:
        yield agreed
    finally:
        comparing.stop()


class _Ended(Exception):
    """Nobody waits for the answer any more."""


class _Comparing(threading.Thread):
    """pg_amcheck. How it ended is in ``done``; what went wrong on our side in ``failed``."""

    def __init__(self, command: list[str], dsn: str) -> None:
        super().__init__(name="pg_amcheck", daemon=True)
        self.command = command
        self._settings = environment_variables({k: str(v) for k, v in conninfo_to_dict(dsn).items()})
        self._end = threading.Event()
        self.done: Ended | None = None
        self.failed: BaseException | None = None

    def run(self) -> None:
        try:
            self.done = programs.run(self.command, settings=self._settings, watch=self._go_on)
        except BaseException as error:  # raised by whoever waits
            self.failed = error

    def stop(self) -> None:
        self._end.set()
        self.join()

    def _go_on(self, said: str) -> None:
        if self._end.is_set():
            raise _Ended


def _command(connection: psycopg.Connection[Any], work: WorkOptions) -> list[str]:
    program = programs.called("pg_amcheck")
    if program is None:
        raise Unproven(
            "no pg_amcheck is here: indexes were not compared with their tables",
            "install PostgreSQL's client programs, or name their directory in PGREHEARSE_BINDIR",
        )
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA pg_catalog")
    except psycopg.Error as error:
        raise Unproven(
            f"amcheck cannot be made in the copy: {first_line(error)}",
            "use a PostgreSQL with its contrib modules: PGREHEARSE_BINDIR",
        ) from None
    return [str(program), "--no-password", "--heapallindexed", f"--jobs={work.jobs}"]


def _said(connection: psycopg.Connection[Any], comparing: _Comparing) -> str:
    if comparing.failed is not None:
        raise comparing.failed
    done = comparing.done
    assert done is not None
    if done.status not in (0, _DAMAGE):
        raise Unproven(f"pg_amcheck failed: {done.reason}", "run it by hand against the original")
    if done.status == _DAMAGE:
        lines = [line.strip() for line in f"{done.out}\n{done.said}".splitlines() if line.strip()]
        named = next((line for line in lines if line.startswith(("heap table", "btree index"))), "")
        error_line = next((line for line in lines if line.startswith("ERROR:")), done.reason)
        raise Refused(
            f"pg_amcheck finds damage: {named} {error_line.removeprefix('ERROR:').strip()}".replace(
                "  ", " "
            ),
            "look whether the original has it too; REINDEX there what is named, then take a new backup",
        )
    row = connection.execute(_INVALID).fetchone()
    invalid = row[0] if row else 0
    of = programs.version(Path(comparing.command[0]))[1]
    return f"every index agrees with its table (pg_amcheck {of})" + (
        f"; {invalid} INVALID indexes cannot be checked" if invalid else ""
    )
