"""What the text of one file shows without a server: rules 2, 4, 5, 9 and 12."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pgrehearse.findings import Finding, Severity
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.migration.policy.register import broken
from pgrehearse.text.concurrent import built_index
from pgrehearse.text.statement import Control, classify

__all__ = ["Limit", "Timeout", "check", "in_force", "timeouts"]

#: Longest lock_timeout, in seconds, that is still a moment to those who wait behind it.
LONGEST = 10.0
_VALUE = re.compile(r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>us|ms|s|min|h|d)?")
_TIMEOUTS = ("lock_timeout", "statement_timeout")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, None: 1e-3}
#: What a timeout leaves half done; DETACH PARTITION CONCURRENTLY is another matter.
_BUILDS = ("create", "drop", "reindex", "refresh")


class Timeout(NamedTuple):
    """``local``: for the transaction only. ``seconds`` is 0 where there is none, or where nobody can tell."""

    name: str
    local: bool
    seconds: float


def timeouts(sql: str) -> list[Timeout]:
    """The timeouts that ``sql`` sets, or takes back."""
    return [
        Timeout(name, setting.local, _seconds(setting.value or ""))
        for setting in classify(sql).settings
        for name in (_TIMEOUTS if setting.name == "all" else (setting.name,))
        if name in _TIMEOUTS
    ]


class Limit(NamedTuple):
    """A timeout that holds, and the statement that set it."""

    seconds: float
    written: Written


def in_force(section: Sequence[Written], transaction: bool) -> dict[Written, dict[str, Limit]]:
    """The timeouts that hold at each statement of ``section``, the last one set last.

    Args:
        transaction: whether all of it is one. Elsewhere what is LOCAL counts between BEGIN and its end only.
    """
    session: dict[str, Limit] = {}
    local: dict[str, Limit | None] = {}
    within, found = transaction, {}
    for written in section:
        control = classify(written.sql).control
        if control in (Control.OPENS, Control.CLOSES, Control.GIVES_UP) and not transaction:
            within, local = control is Control.OPENS, {}
        for name, is_local, seconds in timeouts(written.sql):
            limit = Limit(seconds, written) if seconds else None
            if is_local:
                local.pop(name, None)
                local |= {name: limit} if within else {}
                continue
            local.pop(name, None)
            session.pop(name, None)
            session |= {name: limit} if limit else {}
        over = {name: limit for name, limit in session.items() if name not in local}
        found[written] = over | {name: limit for name, limit in local.items() if limit}
    return found


def _seconds(value: str) -> float:
    found = _VALUE.fullmatch(value.strip())
    return float(found["number"]) * _UNITS[found["unit"]] if found else 0.0


def check(file: File) -> Iterator[Finding]:
    """The problems of ``file`` that need nothing but its text."""
    yield from file.unreadable
    yield from file.unreadable_down
    yield from _one_statement(file)
    yield from _session_timeout(file)
    down = file.migration.down
    yield from _builds(file, file.up, file.migration.up.transaction)
    yield from _builds(file, file.down, down is not None and down.transaction)
    yield from _down(file)


def _one_statement(file: File) -> Iterator[Finding]:
    for section, written in ((file.migration.up, file.up), (file.migration.down, file.down)):
        joined = file.migration.joined
        if section is None or section.transaction or len(written) < 2 or not joined:
            continue
        if any(classify(one.sql).control is Control.OPENS for one in written):
            continue  # of another tool, which sends each statement by itself
        second = written[1]
        if not file.allowed("one-statement", second):
            yield broken(
                "one-statement",
                file.migration.path,
                second.line,
                f"a part without transaction holds a second statement; {joined}",
                "give each statement a file of its own",
                second.sql,
            )


def _session_timeout(file: File) -> Iterator[Finding]:
    """A SET that outlives its transaction: the next file is a concurrent build, and ends by it."""
    if not file.migration.up.transaction:
        return
    for written in file.up:
        stays = any(one.name == "lock_timeout" and not one.local for one in timeouts(written.sql))
        resets = classify(written.sql).verb == "reset"
        if stays and not resets and not file.allowed("lock-timeout", written):
            yield broken(
                "lock-timeout",
                file.migration.path,
                written.line,
                "SET without LOCAL stays after the transaction and reaches the files that follow",
                "write SET LOCAL lock_timeout",
                written.sql,
                severity=Severity.POLICY,
            )


def _builds(file: File, section: Sequence[Written], transaction: bool) -> Iterator[Finding]:
    path = file.migration.path
    limits = in_force(section, transaction)
    for written in section:
        kind = classify(written.sql)
        timeout = next((limit.written for limit in reversed(limits[written].values())), None)
        builds = kind.concurrent and kind.verb in _BUILDS
        if timeout and builds and not file.allowed("build-timeout", written):
            yield broken(
                "build-timeout",
                path,
                timeout.line,
                "the concurrent build gives up at this timeout and leaves an INVALID index",
                "remove the timeout: the build blocks nobody while it waits",
                timeout.sql,
                page="guides/concurrent-indexes",
            )
        index = built_index(written.sql)
        if index is not None and index.lenient and not file.allowed("build-retry", written):
            yield broken(
                "build-retry",
                path,
                written.line,
                "after a failed build IF NOT EXISTS finds its INVALID remains, and reports success",
                f"remove IF NOT EXISTS; {file.remains}",
                written.sql,
                page="runbooks/index-repair",
            )


def _down(file: File) -> Iterator[Finding]:
    if file.migration.foreign:
        return
    migration = file.migration
    if file.down or file.unreadable_down or migration.not_restored:
        return
    said = "the down part is empty" if migration.down else "no `-- migrate:down` part"
    yield broken(
        "down",
        migration.path,
        migration.down.line if migration.down else 1,
        said,
        "write it, and try it with pgrehearse db rollback; if nothing can: `-- not restored: reason` in it",
    )
