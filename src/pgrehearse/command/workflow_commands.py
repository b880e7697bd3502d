"""Workflow commands: what a CI service obeys when it stands in the log of a step.

GitHub calls them workflow commands, Azure logging commands, TeamCity service messages. Text of others must
not hold one: `::stop-commands::` alone hides what is said after it. So each is escaped on its way to the log,
but for those that we issue.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from typing import TextIO

import click

__all__ = ["asked_for", "escaped", "issued", "obeyed_in", "parts"]

#: What stands before a command of ours until it is printed; nobody else can write it.
_ISSUED = f"\x1b[{secrets.randbelow(10**8) + 10**8};o"
#: GitHub cuts blanks of every kind off first; the others, and GitHub's old form, may stand anywhere.
_COMMAND = re.compile(r"^(?P<blanks>[^\S\n]*):(?=:)|#(?=#(?:\[|vso\[|teamcity\[))", re.MULTILINE)
#: What a service sets in each of its steps.
_SERVICES = ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")


def issued(line: str) -> str:
    """``line`` as a command of ours: only so does one reach the service."""
    return f"{_ISSUED}{line}"


def obeyed_in(stream: TextIO) -> bool:
    """Whether a service obeys what is written to ``stream``: a file is no log."""
    return any(os.environ.get(name) for name in _SERVICES) and not _is_file(stream)


def asked_for() -> bool:
    """Whether what runs was told ``--format github``: in a container no variable says who listens."""
    context = click.get_current_context(silent=True)
    return context is not None and context.params.get("form") == "github"


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """``text`` in pieces, each with whether it is a command of ours."""
    others, *commands = text.split(_ISSUED)
    yield False, others
    for part in commands:
        line, end, rest = part.partition("\n")
        yield True, line
        yield False, end + rest


def escaped(text: str) -> str:
    """``text`` of others so that no service obeys it; in JSON it means the same."""
    return _COMMAND.sub(_without_power, text)


def _without_power(found: re.Match[str]) -> str:
    return r"\u0023" if found["blanks"] is None else rf"{found['blanks']}\u003A"


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False
