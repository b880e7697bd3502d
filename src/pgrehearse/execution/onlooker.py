"""Who watches a session at work: this one does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgrehearse.execution.escort import Message

if TYPE_CHECKING:
    from pgrehearse.execution.session import Session, StatementError

__all__ = ["Onlooker"]


class Onlooker:
    """Told of what a session does; says nothing to it, and raises nothing but what interrupts the run."""

    #: Seconds between two looks at a statement under way.
    every = 1.0

    def looks(self, session: Session) -> None:
        """A statement is under way, still."""

    def noticed(self, text: str) -> bool:
        """The server said ``text``, as psql prints it, without passwords; it will be in the output, too.

        Returns whether it was told: of very many such, the output need not hold all.
        """
        return False

    def sends(self, session: Session, message: Message) -> None:
        """``message`` is sent next."""

    def ended(
        self, session: Session, message: Message, printed: Sequence[str], error: StatementError | None
    ) -> None:
        """``message`` has ended: what it printed, or the error it or what stands around it raised."""
