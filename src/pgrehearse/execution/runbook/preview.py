"""What a step would send now: its statements, and those that its queries for ``\\gexec`` generate."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pgrehearse.execution.escort import Applying, Escort, Frame, Message, Transaction
from pgrehearse.execution.runbook.framing import ends_with_session
from pgrehearse.execution.session import Session
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import SplitError
from pgrehearse.text.statement import classify

__all__ = ["Part", "defines", "preview"]

#: In a transaction of the runbook: the query looks, and what it may have done in spite of that is undone.
_WITHIN = Frame(
    ("SAVEPOINT pgrehearse_look; SET TRANSACTION READ ONLY",),
    ("ROLLBACK TO pgrehearse_look; RELEASE pgrehearse_look",),
    ("ROLLBACK TO pgrehearse_look; RELEASE pgrehearse_look",),
)
#: What makes, changes or takes away an object; ANALYZE and the like may be done at any time.
_DEFINES = ("create", "alter", "drop", "comment")
_NO_COMMENT = re.compile(r"comment\s.*\sis\s+null\s*\Z", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Part:
    """One statement of a step.

    Attributes:
        sql: as it is written, with the values in.
        generated: what it generates for its ``\\gexec`` now; None for a statement that is sent itself.
        done: positions of those that an earlier run has sent, and that are not sent again.
        unknown: why that cannot be told before the statements above it have run.
    """

    sql: str
    generated: tuple[str, ...] | None = None
    done: frozenset[int] = frozenset()
    unknown: str = ""

    @cached_property
    def sent(self) -> tuple[str, ...]:
        """The statements that are sent, as they may be shown: without passwords."""
        own = (self.sql,) if self.generated is None else self.generated
        return tuple(redacted(sql) for place, sql in enumerate(own) if place not in self.done)

    @property
    def nothing(self) -> bool:
        """Whether it sends nothing: its query generates no statement, or all of it was sent."""
        return not self.sent and not self.unknown


class _Asking(Escort):
    """Lets a query be asked, and keeps what it generates from being sent."""

    def __init__(self) -> None:
        self.generated: tuple[str, ...] = ()

    def frame(self, message: Message, transaction: Transaction) -> Frame:
        return _WITHIN if transaction != Transaction.IDLE else Applying().frame(message, transaction)

    def generates(self, message: Message, statements: Sequence[str]) -> Sequence[str] | None:
        self.generated = tuple(statements)
        return None


def preview(
    session: Session, messages: Sequence[Message], rewritten: Callable[[str], str]
) -> tuple[Part, ...]:
    """The parts of a step that is sent as ``messages``, as ``session`` sees the database now."""
    return tuple(_part(session, message, rewritten) for message in messages)


def _part(session: Session, message: Message, rewritten: Callable[[str], str]) -> Part:
    if not message.gexec:
        return Part(message.sql)
    asking = _Asking()
    session.start([message], asking)
    while not session.pump(1.0):
        pass
    if session.error is not None:
        said = session.error.text.split("\n")[0]
        return Part(message.sql, (), unknown=said)
    return Part(message.sql, tuple(map(rewritten, asking.generated)))


def defines(sql: str) -> bool:
    """Whether ``sql``, generated, is DDL: that it is generated says that its effect is not there.

    What is temporary is not meant: it ended with its session. Nor what replaces, or takes a comment away
    that need not be there: it is generated anyhow.
    """
    try:
        kind = classify(sql)
        anyhow = kind.begins("create", "or", "replace") or _NO_COMMENT.match(sql)
        return kind.verb in _DEFINES and not anyhow and not ends_with_session(kind)
    except SplitError:  # a quote that nothing closes: PostgreSQL refuses it
        return False
