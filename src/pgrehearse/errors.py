"""The one error tree.

    PgRehearseError           exit 70  ours: a bug in pgrehearse
    ├── DocumentError         exit 65  the author's: a document, snippet or option is wrong
    ├── SetupError            exit 69  the operator's: no server, no permission, bad DSN, refused target
    └── ExpectationError      exit 1   the run's: something happened that the document did not expect

Every error carries where it happened and what to do next, and prints as

    path:line: what happened
      next: what to do

One that speaks of several things lists them as findings below.

Exit statuses follow ``sysexits.h`` so that a shell script can tell the four apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from pgrehearse.findings import Finding, location

__all__ = ["DocumentError", "ExpectationError", "PgRehearseError", "SetupError", "first_line"]


class PgRehearseError(Exception):
    """Base of everything pgrehearse raises on purpose.

    Args:
        message: what happened, one sentence, no trailing period needed.
        path: the file it happened in, if there is one.
        line: 1-based line in ``path``.
        next_step: what the reader should do now.
        findings: what the message sums up, listed below it.

    Attributes:
        findings: what is wrong, at least one: those that were given, or the error itself.
    """

    exit_code = 70
    #: family of the finding an error is
    kind = "bug"

    def __init__(
        self,
        message: str,
        *,
        path: Path | str | None = None,
        line: int | None = None,
        next_step: str | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = Path(path) if path is not None else None
        self.line = line
        self.next_step = next_step
        self._listed = tuple(findings)
        self.findings = self._listed or (
            Finding(message, self.path, line or 0, kind=self.kind, next_step=next_step or ""),
        )

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> Self:
        """The error that is the first of ``findings`` and lists the others below."""
        first = findings[0]
        error = cls(
            first.said, path=first.path, line=first.line or None, next_step=first.next_step, findings=findings
        )
        error._listed = error._listed[1:]
        return error

    @property
    def location(self) -> str:
        """``path:line``, ``path``, or the empty string."""
        return location(self.path, self.line)

    def __str__(self) -> str:
        return self.text()

    def text(self, known_as: Callable[[Path], str] = str) -> str:
        """What is printed; ``known_as``: a path as readers know it."""
        where = location(known_as(self.path) if self.path is not None else None, self.line)
        head = f"{where}: {self.message}" if where else self.message
        own = f"{head}\n  next: {self.next_step}" if self.next_step else head
        return "\n".join([own, *(finding.text(known_as) for finding in self._listed)])


class DocumentError(PgRehearseError):
    """A document, its front matter, a snippet or an option is wrong; the author mends it."""

    exit_code = 65
    kind = "document"


class SetupError(PgRehearseError):
    """The surroundings are wrong: no server, no permission, a bad DSN, a target that must be refused."""

    exit_code = 69
    kind = "setup"


class ExpectationError(PgRehearseError):
    """A statement did something else than its cell says."""

    exit_code = 1
    kind = "expectation"


def first_line(error: Exception) -> str:
    """The first line of what another program's error says; its kind where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
