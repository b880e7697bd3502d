"""What the text of one file shows without a server: rules 2, 4, 5, 9 and 12."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgrehearse.findings import Finding
from pgrehearse.migration.policy.file import File, Written
from pgrehearse.migration.policy.rules import broken
from pgrehearse.text.statement import code

__all__ = ["check", "timeout_of"]

#: Longest lock_timeout, in seconds, that is still a moment to those who wait behind it.
LONGEST = 10.0
_SET = re.compile(
    r"set (?P<scope>local |session )?(?P<name>lock_timeout|statement_timeout) (?:=|to) (?P<value>.+)"
)
_CONFIG = re.compile(
    r"select (?:pg_catalog\.)?set_config\( ?'(?P<name>lock_timeout|statement_timeout)' ?, ?"
    r"(?P<value>'[^']*') ?, ?(?P<local>\w+) ?\)"
)
_VALUE = re.compile(r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>us|ms|s|min|h|d)?")
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, None: 1e-3}
_CONCURRENT = re.compile(
    r"(?:create (?:unique )?index|drop index|reindex\b.*|refresh materialized view) concurrently\b"
)
_RETRY = re.compile(r"create (?:unique )?index concurrently if not exists ")


def timeout_of(sql: str) -> tuple[str, bool, float] | None:
    """What ``sql`` sets: name of the timeout, whether for the transaction only, and seconds (0: none)."""
    text = code(sql)
    if match := _SET.fullmatch(text):
        local = (match["scope"] or "").strip() == "local"
    elif match := _CONFIG.fullmatch(text):
        local = match["local"] in ("true", "t", "on")
    else:
        return None
    value = _VALUE.fullmatch(match["value"].strip("' "))
    seconds = float(value["number"]) * _UNITS[value["unit"]] if value else 0.0
    return match["name"], local, seconds


def check(file: File) -> Iterator[Finding]:
    """The problems of ``file`` that need nothing but its text."""
    yield from file.unreadable
    yield from _one_statement(file)
    yield from _session_timeout(file)
    for section in (file.up, file.down):
        yield from _builds(file, section)
    yield from _down(file)


def _one_statement(file: File) -> Iterator[Finding]:
    for section, written in ((file.migration.up, file.up), (file.migration.down, file.down)):
        if section is None or section.transaction or len(written) < 2:
            continue
        second = written[1]
        if not file.allowed("one-statement", second):
            yield broken(
                "one-statement",
                file.migration.path,
                second.line,
                "a part without transaction holds a second statement; dbmate sends both as one message,"
                " and that is a transaction again",
                "give each statement a file of its own",
                second.sql,
            )


def _session_timeout(file: File) -> Iterator[Finding]:
    """A SET that outlives its transaction: the next file is a concurrent build, and ends by it."""
    if not file.migration.up.transaction:
        return
    for written in file.up:
        found = timeout_of(written.sql)
        if (
            found
            and found[0] == "lock_timeout"
            and not found[1]
            and not file.allowed("lock-timeout", written)
        ):
            yield broken(
                "lock-timeout",
                file.migration.path,
                written.line,
                "SET without LOCAL stays after the transaction and reaches the files that follow",
                "write SET LOCAL lock_timeout",
                written.sql,
            )


def _builds(file: File, section: tuple[Written, ...]) -> Iterator[Finding]:
    path = file.migration.path
    timeout: Written | None = None
    for written in section:
        text = code(written.sql)
        found = timeout_of(written.sql)
        if found is not None:
            timeout = written if found[2] else None
        if timeout and _CONCURRENT.match(text) and not file.allowed("build-timeout", written):
            yield broken(
                "build-timeout",
                path,
                timeout.line,
                "the concurrent build gives up at this timeout and leaves an INVALID index",
                "remove the timeout: the build blocks nobody while it waits",
                timeout.sql,
                page="guides/concurrent-indexes",
            )
        if _RETRY.match(text) and not file.allowed("build-retry", written):
            yield broken(
                "build-retry",
                path,
                written.line,
                "after a failed build IF NOT EXISTS finds its INVALID remains, and reports success",
                "remove IF NOT EXISTS; pgrehearse db up removes the remains of an interrupted build itself",
                written.sql,
                page="runbooks/index-repair",
            )


def _down(file: File) -> Iterator[Finding]:
    migration = file.migration
    unreadable = any(
        problem.line >= (migration.down.line if migration.down else 0) for problem in file.unreadable
    )
    if file.down or (migration.down and unreadable) or (migration.down and file.not_restored):
        return
    said = "the down part is empty" if migration.down else "no `-- migrate:down` part"
    yield broken(
        "down",
        migration.path,
        migration.down.line if migration.down else 1,
        said,
        "write it, and try it with pgrehearse db rollback; if nothing can: `-- not restored: reason` in it",
    )
