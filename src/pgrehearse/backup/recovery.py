"""Where recovery of a copy is to stop, as ``--option until=`` says it; which WAL an archive lacks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pgrehearse.backup.original import Original
from pgrehearse.errors import SetupError

__all__ = ["UNTIL", "gap", "restore_command", "stop"]

UNTIL = (
    "where recovery stops: backup (its own end; unless said), end (of the archive), lsn:LSN, xid:XID,"
    " name:RESTOREPOINT or time:TIMESTAMP; a named one must be reached"
)
_BACKUP, _END = "backup", "end"
_TARGETS = ("lsn", "xid", "name", "time")


def stop(until: str, original: Original) -> Mapping[str, str]:
    """Settings for recovery. Raises SetupError: ``until`` names no place to stop.

    The timeline is always said: by default recovery takes the latest in the archive, and a rehearsal that
    archived left one there.
    """
    if until in ("", _BACKUP):
        return {"recovery_target": "immediate", "recovery_target_timeline": "current"}
    timeline = {"recovery_target_timeline": str(original.timeline)}
    if until == _END:
        return timeline
    kind, sign, value = until.partition(":")
    if kind not in _TARGETS or not sign or not value:
        raise SetupError(f"until={until} is no place to stop", next_step=f"until is {UNTIL}")
    # Just before it: what is named is what went wrong. A restore point is passed either way.
    before = {} if kind == "name" else {"recovery_target_inclusive": "off"}
    return {f"recovery_target_{kind}": value, **timeline, **before}


def restore_command(words: Sequence[str | Path], rest: str) -> str:
    """``words`` for PostgreSQL's shell, and right behind ``rest``, where ``%f`` and ``%p`` mean files."""
    return shlex.join(map(str, words)).replace("%", "%%") + rest


def gap(names: Iterable[str], timeline: int, first: str, segment: int) -> tuple[str, str] | None:
    """The first WAL file that is missing and the last that is there; None: all are there.

    Args:
        names: WAL files of an archive, of any timeline.
        first: the one that recovery begins with.
        segment: bytes of one.
    """
    each = (1 << 32) // segment
    there = {
        int(name[8:16], 16) * each + int(name[16:24], 16)
        for name in names
        if re.fullmatch(r"[0-9A-F]{24}", name) and int(name[:8], 16) == timeline
    }
    begin = int(first[8:16], 16) * each + int(first[16:24], 16)
    last = max((number for number in there if number >= begin), default=begin)
    for number in range(begin, last + 1):
        if number not in there:
            return _name(timeline, number, each), _name(timeline, last, each)
    return None


def _name(timeline: int, number: int, each: int) -> str:
    return f"{timeline:08X}{number // each:08X}{number % each:08X}"
