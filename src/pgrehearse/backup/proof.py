"""Evidence as it is found: a line for each thing that is looked at, proven or not, with the time it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pgrehearse.backup.levels import EvidenceLevel
from pgrehearse.backup.receipt import Evidence
from pgrehearse.errors import SetupError

__all__ = ["NoRoom", "Proof", "Refused", "Unproven"]


class NoRoom(SetupError):
    """A disk is full here. It says nothing of the backup, so it is no evidence, and no receipt is written."""


class Unproven(Exception):
    """Something cannot be shown here, such as for want of a program: the rest is tried all the same.

    ``said``: what is missing; ``next_step``: what to do about it.
    """

    def __init__(self, said: str, next_step: str) -> None:
        super().__init__(said)
        self.said, self.next_step = said, next_step


class Refused(Unproven):
    """The backup is not what it must be. Nothing further is tried with it."""


class Proof:
    """The lines, in order. ``tell`` is called with each when it is there."""

    def __init__(self, tell: Callable[[Evidence], None] = lambda line: None) -> None:
        self.lines: list[Evidence] = []
        self._tell = tell
        self._until: Callable[[], None] | None = None
        self._aside: list[Evidence] = []

    def take(self, other: Proof) -> None:
        """The lines of another are lines of this one."""
        for line in other.lines:
            self._note(line)

    def wait(self, until: Callable[[], None]) -> None:
        """Put proven lines below `EvidenceLevel.QUERIED` aside; call ``until`` when another comes.

        If it raises, neither that line nor what was put aside is noted.
        """
        self._until = until

    def waited(self) -> None:
        """Call it now, if no such line came."""
        until, self._until = self._until, None
        aside, self._aside = self._aside, []
        if until is not None:
            until()
        for line in aside:
            self._note(line)

    def _note(self, line: Evidence) -> None:
        self.lines.append(line)
        self._tell(line)

    @contextmanager
    def proving(self, level: EvidenceLevel, check: str) -> Iterator[list[str]]:
        """A block that looks at one thing and puts what it saw into the list.

        Unproven is noted, and what follows the block goes on. Refused is noted and raised on; a SetupError
        becomes one, but NoRoom.
        """
        begun = time.monotonic()
        said: list[str] = []

        def note(ok: bool, text: str, next_step: str = "", damage: bool = False) -> None:
            line = Evidence(level, check, ok, text, next_step, time.monotonic() - begun, damage)
            if self._until is not None and ok and level < EvidenceLevel.QUERIED:
                self._aside.append(line)
                return
            self.waited()
            self._note(line)

        try:
            yield said
        except Unproven as missing:
            damage = isinstance(missing, Refused)
            note(False, missing.said, missing.next_step, damage)
            if damage:
                raise
        except NoRoom:
            raise
        except SetupError as error:
            note(False, error.message, error.next_step or "", True)
            raise Refused(error.message, error.next_step or "") from error
        else:
            note(True, "; ".join(said))
