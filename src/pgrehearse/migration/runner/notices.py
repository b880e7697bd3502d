"""What the server says beside its answers: notices and warnings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.errors import Diagnostic

from pgrehearse.text.passwords import redacted

__all__ = ["Notices"]


class Notices:
    """Tells what is said on ``connection``, with the place of the statement it is said of.

    Attributes:
        place: file and line of the statement whose answer is being read; None for none of a file.
    """

    def __init__(self, connection: psycopg.Connection[Any], tell: Callable[[str], None]) -> None:
        self.place: Callable[[], str] | None = None
        self._tell = tell
        connection.add_notice_handler(self._take)

    def _take(self, note: Diagnostic) -> None:
        said = redacted("", f"{note.severity}: {note.message_primary}")
        self._tell(f"{self.place()} {said}" if self.place is not None else said)
