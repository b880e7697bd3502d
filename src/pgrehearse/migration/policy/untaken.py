"""Code in a block that did not run here: what it locks, nobody saw.

A branch may depend on rows, on the name of the database or on the time, and what an exception undoes has
given its locks back before anybody looks. So a block that holds a statement by which tables are locked, and
locked none, is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgrehearse.findings import Finding
from pgrehearse.measurement.statement.facts import MODES
from pgrehearse.measurement.xray_rows import Row
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.migration.policy.register import unjudged
from pgrehearse.text.split import SplitError, scanned
from pgrehearse.text.statement import classify

__all__ = ["untaken"]

_LOCKS = re.compile(
    r"\b(?:alter\s+(?:foreign\s+)?table|alter\s+index|create\s+(?:unique\s+)?index|drop\s+(?:table|index)"
    r"|truncate|lock\s+table|reindex|cluster|refresh\s+materialized)\b",
    re.I,
)


def untaken(file: File, written: Written, row: Row) -> Iterator[Finding]:
    """A finding where the block ``written`` holds what locks tables, and ``row`` saw no such lock."""
    if classify(written.sql).verb != "do" or row.facts is None or file.allowed("judged", written):
        return
    if any(MODES.index(mode) >= MODES.index("SHARE") for mode in row.facts.locks.values()):
        return
    if (held := _LOCKS.search(_code(written.sql))) is not None:
        what = " ".join(held[0].upper().split())
        yield unjudged(
            file.migration.path,
            written.line,
            f"its {what} did not run here, or was undone, so what it locks is not known",
            written.sql,
            "take it out of its branch; or look at it yourself: -- allow: judged REASON",
        )


def _code(sql: str) -> str:
    """The code of a block without comments; without texts, unless it may execute them."""
    body = "".join(token.text for token in scanned(sql) if token.kind in ("dollar", "string"))
    try:
        parts = [token for token in scanned(body.strip("$'")) if token.kind != "comment"]
    except SplitError:
        return body
    executes = any(token.kind == "word" and token.text.lower() == "execute" for token in parts)
    return "".join(token.text if executes or token.kind != "string" else "''" for token in parts)
