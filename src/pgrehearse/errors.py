"""The one error tree.

    PgRehearseError           exit 70  ours: a bug in pgrehearse
    ├── DocumentError         exit 65  the author's: a document, snippet or option is wrong
    ├── SetupError            exit 69  the operator's: no server, no permission, bad DSN, refused target
    └── ExpectationError      exit 1   the run's: something happened that the document did not expect

Every error carries where it happened and what to do next, and prints as

    path:line: what happened
      next: what to do

Exit statuses follow ``sysexits.h`` so that a shell script can tell the four apart.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["DocumentError", "ExpectationError", "PgRehearseError", "SetupError"]


class PgRehearseError(Exception):
    """Base of everything pgrehearse raises on purpose.

    Args:
        message: what happened, one sentence, no trailing period needed.
        path: the file it happened in, if there is one.
        line: 1-based line in ``path``.
        next_step: what the reader should do now.
    """

    exit_code = 70

    def __init__(
        self,
        message: str,
        *,
        path: Path | str | None = None,
        line: int | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = Path(path) if path is not None else None
        self.line = line
        self.next_step = next_step

    @property
    def location(self) -> str:
        """``path:line``, ``path``, or the empty string."""
        if self.path is None:
            return ""
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"

    def __str__(self) -> str:
        head = f"{self.location}: {self.message}" if self.location else self.message
        return f"{head}\n  next: {self.next_step}" if self.next_step else head


class DocumentError(PgRehearseError):
    """A document, its front matter, a snippet or an option is wrong; the author mends it."""

    exit_code = 65


class SetupError(PgRehearseError):
    """The surroundings are wrong: no server, no permission, a bad DSN, a target that must be refused."""

    exit_code = 69


class ExpectationError(PgRehearseError):
    """A statement did something else than its cell says."""

    exit_code = 1
