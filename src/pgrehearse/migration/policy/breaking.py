"""Rule 3: what breaks a running release is declared in the file, and told in the list of changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pgrehearse.findings import Finding, Severity
from pgrehearse.migration.policy.interface import AGREED, Interface, differences
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.migration.policy.register import broken
from pgrehearse.text import characters

__all__ = ["check"]

#: What helps without telling anybody.
_MEND = {
    "sequence": "ALTER SEQUENCE ... AS bigint in the same file",
    "kept": "a function of another name, and later files that make anew what keeps its results; or REINDEX"
    " after it, and `-- breaking: REASON` here",
}
#: States of a file: the interface before it, then after each of its statements.
States = Sequence[tuple[Written | None, Interface]]
#: Digits from which on a number is a version; a shorter one is, with the name of its migration.
_UNMISTAKABLE = 8
_OTHER = re.compile(rf"\b(?:\d{{{_UNMISTAKABLE},}}|\d+_[a-zA-Z])")


def check(file: File, states: States, changes: Path, place: str) -> Iterator[Finding]:
    """Breaking changes of ``file`` without a declaration; a declaration without an entry in ``changes``.

    ``place`` is that path as readers know it.
    """
    path = file.migration.path
    declared = file.migration.declared("breaking")
    if any(one.reason for one in declared):
        if not has_entry(changes, file.migration.version):
            yield broken(
                "breaking",
                path,
                declared[0].line,
                f"this breaking change has no entry in {place}",
                f"name {path.stem} there, and say what must be released before",
                severity=Severity.POLICY,
            )
        return
    before = states[0][1]
    told = f"write `-- breaking: who fails, and what must be released before`, and an entry in {place}"
    for what, sentence in differences(before, states[-1][1]).items():
        written = _cause(what, states)
        yield broken(
            "breaking",
            path,
            written.line if written else file.migration.up.line,
            sentence,
            _MEND.get(what[0].split(" ")[0], told),
            written.sql if written else "",
            severity=Severity.POLICY if what[0] in AGREED else Severity.HAZARD,
        )


def _cause(what: tuple[str, tuple[str, str, str]], states: States) -> Written | None:
    """The statement from which on ``what`` is so to the end of the file."""
    before = states[0][1]
    cause = states[-1][0]
    for written, interface in reversed(states[1:]):
        if what not in differences(before, interface):
            break
        cause = written
    return cause


def has_entry(changes: Path, version: str) -> bool:
    """Whether ``changes`` names the migration and says something about it, before it names another."""
    if not changes.is_file():
        return False
    lines = iter(characters.read(changes).splitlines())
    end = r"(?!\d)" if len(version) >= _UNMISTAKABLE else r"(?=_[a-zA-Z])"
    name = re.compile(rf"\b{version}{end}\w*(?:\.sql)?`?")
    for line in lines:
        if match := name.search(line):
            rest = [line[match.end() :]]
            for following in lines:
                if _OTHER.search(following) or following.startswith("#"):
                    break
                rest.append(following)
            return re.search(r"\w{2,}", " ".join(rest)) is not None
    return False
