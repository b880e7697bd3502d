"""Receipts in the database they are about, and as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pgrehearse import sealed
from pgrehearse.backup import canary
from pgrehearse.backup.receipt import Receipt, UnreadableReceipt
from pgrehearse.connections import connect
from pgrehearse.errors import SetupError, first_line
from pgrehearse.execution.own_tables import SCHEMA, Wanted, look

__all__ = ["from_file", "keep", "receipts", "to_file"]

_WANTED = Wanted(SCHEMA, "receipt", ["id", "at", "who", "sha256", "receipt"], ["id"])
_INSERT = "INSERT INTO pgrehearse.receipt (sha256, receipt) VALUES (%s, %s)"
#: Of each backup, and each copy of it, the last word: one that was whole may have been damaged since.
_LAST = """
SELECT sha256, receipt FROM (
    SELECT DISTINCT ON (receipt ->> 'digest', receipt ->> 'backup') id, sha256, receipt
      FROM pgrehearse.receipt
     ORDER BY receipt ->> 'digest', receipt ->> 'backup', id DESC) AS last
 ORDER BY id DESC LIMIT 50
"""


def keep(conninfo: str, receipt: Receipt) -> None:
    """Write it into the database. Raises SetupError: the role may not."""
    try:
        with connect(conninfo) as connection:
            canary.table(connection)
            connection.execute(_INSERT, [receipt.hash, Jsonb(receipt.to_json())])
    except psycopg.Error as error:
        raise SetupError(
            f"the receipt cannot be kept: {first_line(error)}",
            next_step="connect as the owner of the database, who migrates it",
        ) from None


def receipts(connection: psycopg.Connection[Any]) -> list[Receipt]:
    """The last of each backup, newest first.

    Raises SetupError: one was changed by hand, or what keeps them is not what it must be.
    """
    (there,) = look(connection, [_WANTED])
    if not there.there:
        return []
    if there.problems:
        raise SetupError(
            f"{SCHEMA}.receipt is not what it must be: {'; '.join(there.problems)}",
            next_step="take that away again, and verify a backup anew",
        )
    return [_read(sha256, data) for sha256, data in connection.execute(_LAST).fetchall()]


def to_file(path: Path, receipt: Receipt) -> Path:
    """Raises SetupError: it cannot be written."""
    return sealed.write(path, {**receipt.to_json(), "sha256": receipt.hash})


def from_file(path: Path) -> Receipt:
    """Raises SetupError: it is no receipt, or was changed by hand."""
    try:
        data = sealed.read(path)
        return _read(str(data.pop("sha256", "")), data)
    except sealed.Broken as error:
        raise SetupError(f"this {error}", path=path, next_step="verify the backup anew") from None


def _read(sha256: str, data: Mapping[str, Any]) -> Receipt:
    try:
        found = Receipt.from_json(data)
    except UnreadableReceipt as error:
        raise SetupError(
            f"a receipt {error}", next_step="verify a backup anew: pgrehearse backup verify"
        ) from None
    if found.hash != sha256:
        raise SetupError(
            "a receipt was changed by hand: its hash does not fit",
            next_step="look who did it; verify a backup anew: pgrehearse backup verify",
        )
    return found
