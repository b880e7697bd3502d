"""pg_dump: a database as text, said the same way everywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pgrehearse.connections import NOT_TEXT, NOT_TEXT_NEXT
from pgrehearse.environments.direct import remedy
from pgrehearse.errors import SetupError
from pgrehearse.schema import client_programs
from pgrehearse.servers.binaries import DEFAULT

__all__ = ["OPTIONS", "Dump", "dump", "major_of"]

#: What the session says about itself. It beats settings of the database and the role, which would otherwise
#: change how the server writes bounds, constants and view definitions, or end the session while it looks.
OPTIONS = " ".join(
    f"-c {setting}"
    for setting in (
        "default_transaction_read_only=on",
        "TimeZone=UTC",
        "bytea_output=hex",
        "lc_monetary=C",
        "quote_all_identifiers=off",
        "xmloption=content",
        "DateStyle=ISO",
        "IntervalStyle=postgres",
        "standard_conforming_strings=on",
        "statement_timeout=0",
        "lock_timeout=0",
        "idle_in_transaction_session_timeout=0",
        "idle_session_timeout=0",
    )
)
_LEDGER = ("--exclude-schema=pgrehearse", "--exclude-table=public.schema_migrations")
#: Its roles are on its own server only, and the owner of the database may not even lock its tables.
_PROMOTIONS = "--exclude-schema=pgrehearse_promotion"
_FROM = re.compile(r"^-- Dumped from database version (\d+)", re.MULTILINE)

#: What a pg_dump says to a server newer than itself, and the server's major.
_TOO_NEW = re.compile(r"server version mismatch\n.*server version: ((\d+)\S*).*; pg_dump version: (\S+)")
_UNREADABLE = re.compile(r"byte sequence .*encoding")


@dataclass(frozen=True)
class Dump:
    """``text`` is what pg_dump wrote, ``warnings`` what it warns of."""

    text: str
    warnings: tuple[str, ...] = ()


def dump(
    conninfo: str,
    *,
    rows: bool = False,
    owners: bool = True,
    create: bool = False,
    ledger: bool = True,
    lock_wait: int = 15,
    snapshot: str = "",
    key: str = "pgrehearse",
    major: int = 0,
) -> Dump:
    r"""A database as pg_dump writes it, in a session that may only read; without what promotions left.

    Args:
        conninfo: of a direct connection.
        rows: data too; else the schema alone.
        owners: with owners and privileges.
        create: with the database itself, its settings and its comment.
        ledger: with what migrations left of themselves.
        lock_wait: seconds to wait for a table that is locked.
        snapshot: of another transaction, to see what it sees.
        key: the word of the file's \restrict; pg_dump by itself takes another one each time.
        major: of the server, where it is known: an older pg_dump would be asked in vain.

    Raises SetupError: pg_dump is not here or too old, or the role may not read all of it.
    """
    flags = ["--encoding=UTF8", f"--restrict-key={key}", f"--lock-wait-timeout={lock_wait}s"]
    flags += [_PROMOTIONS] if rows else [_PROMOTIONS, "--schema-only"]
    flags += [] if owners else ["--no-owner", "--no-privileges"]
    flags += ["--create"] if create else []
    flags += [] if ledger else _LEDGER
    flags += [f"--snapshot={snapshot}"] if snapshot else []
    status, text, said = _run(conninfo, flags, major if major > DEFAULT else 0)
    if status and (newer := _TOO_NEW.search(said)):
        # Asked only now: which major a server is costs a connection, and few are newer than the client.
        status, text, said = _run(conninfo, flags, int(newer[2]))
    if status:
        raise _refused(said)
    lines = (line.removeprefix("pg_dump: ") for line in said.splitlines())
    return Dump(text, tuple(line for line in lines if line.startswith("warning: ")))


def _run(conninfo: str, flags: Sequence[str], least: int) -> tuple[int, str, str]:
    """Run a pg_dump of ``least`` or later; where there is none, the one that is there, which says why not."""
    if least:
        with suppress(SetupError):
            return client_programs.run("pg_dump", conninfo, *flags, options=OPTIONS, least=least)
    return client_programs.run("pg_dump", conninfo, *flags, options=OPTIONS)


def major_of(text: str) -> int | None:
    """The major of the server that a dump was made from; None where it does not say."""
    found = _FROM.search(text)
    return int(found[1]) if found else None


def _refused(said: str) -> SetupError:
    lines = [line.removeprefix("pg_dump: error: ") for line in said.splitlines() if "detail:" not in line]
    reason = next((line for line in lines if "permission denied" in line), lines[0] if lines else "no reason")
    if "permission denied" in reason:
        reason = reason[reason.index("permission denied") :]
        return SetupError(
            f"the schema cannot be read: {reason}",
            next_step="GRANT pg_read_all_data TO the role that connects; it can read all and write nothing",
        )
    if "lock timeout" in said:
        return SetupError(
            "the schema cannot be read: a table stays locked by another session",
            next_step="wait until that change has ended, then run this again",
        )
    if newer := _TOO_NEW.search(said):
        return SetupError(
            f"the schema cannot be read: pg_dump {newer[3]} is older than the server, PostgreSQL {newer[1]}",
            next_step=f"install pg_dump of PostgreSQL {newer[2]}; PGREHEARSE_BINDIR says where it is",
        )
    if _UNREADABLE.search(reason):
        return SetupError(f"the schema cannot be read: {NOT_TEXT}: {reason}", next_step=NOT_TEXT_NEXT)
    return SetupError(f"pg_dump failed: {reason}", next_step=remedy(said) or "check the DSN and its role")
