"""Files of SQL, carried out by psql: what pg_dump writes holds commands of psql's own."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.schema import client

__all__ = ["Refused", "load"]

_ERROR = re.compile(r"^psql:.*:(?P<line>\d+): (?:ERROR|FATAL): +(?P<text>.*)$", re.M)


@dataclass(frozen=True)
class Refused:
    """A statement of a file that PostgreSQL refused. ``line`` is where it ends; None for the file itself."""

    line: int | None
    text: str


def load(conninfo: str, file: Path, *, whole: bool = False, rows: int | None = None) -> list[Refused]:
    """Run ``file`` and return what was refused.

    Args:
        whole: in one transaction that ends with the first error; else each statement is tried.
        rows: the value of ``:rows`` in the file.

    Raises SetupError: psql is not here.
    """
    flags = ["-X", "-q", "-o", os.devnull, "-f", str(file)]
    flags += ["-v", "ON_ERROR_STOP=1", "--single-transaction"] if whole else []
    flags += ["-v", f"rows={rows}"] if rows is not None else []
    status, _, said = client.run("psql", conninfo, *flags, options="-c client_min_messages=error")
    found = [Refused(int(error["line"]), error["text"]) for error in _ERROR.finditer(said)]
    return found if found or not status else [Refused(None, said)]
