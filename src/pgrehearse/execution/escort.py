"""What is sent around a statement, unseen by its author: a transaction, a check, a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg.pq import TransactionStatus

from pgrehearse.text import looking
from pgrehearse.text.looking import Precaution, way_of

__all__ = ["NO_TRANSACTION", "Applying", "Escort", "Frame", "Looking", "Message", "Transaction"]

#: SQLSTATEs by which a statement says that it wants no transaction around it: VACUUM, a COMMIT inside DO.
NO_TRANSACTION = ("25001", "2D000")
Transaction = TransactionStatus


@dataclass(frozen=True)
class Message:
    """One message to the server: the SQL as sent, and its first line (1-based) in the cell's source.

    Attributes:
        number: which statement of its cell it is, from 1.
        generated: which of those its \\gexec generated, from 1; 0 for the statement itself.
    """

    sql: str
    line: int
    gexec: bool = False
    number: int = 0
    generated: int = 0


@dataclass(frozen=True)
class Frame:
    """What is sent around one message. Nothing of it is shown, but for its errors.

    Attributes:
        before: messages before it.
        after: messages after it, unless it failed.
        undo: messages after anything of all this failed.
        otherwise: another frame for a statement that refuses a transaction, when it has said so.
        single: the server takes one statement here, no more.
        refused: why the message is not sent at all.
        printed: it is not sent because it was done before, and printed this.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    otherwise: Callable[[], Frame] | None = None
    single: bool = False
    refused: str = ""
    printed: tuple[str, ...] | None = None


#: The query takes a snapshot: from then on nothing makes the transaction READ WRITE.
_READ_ONLY = Frame((f"{looking.BEGIN_READ_ONLY}; SELECT 1",), ("COMMIT",), ("ROLLBACK",), single=True)


class Escort:
    """Goes along with the statements of a cell, generated ones too. This one lets them pass as they are."""

    def frame(self, message: Message, transaction: TransactionStatus) -> Frame:
        """What stands around ``message``, which is next, in a session whose transaction is so."""
        return Frame()

    def generates(self, message: Message, statements: Sequence[str]) -> Sequence[str] | None:
        r"""What to send of the ``statements`` that the query ``message`` generated for its \gexec.

        None: neither those nor what comes after them.
        """
        return statements

    def ended(self, message: Message, printed: Sequence[str], transaction: TransactionStatus) -> None:
        """``message`` and what stands around it succeeded."""


class Applying(Escort):
    r"""Keeps the query of a \gexec from changing anything: a run that goes on asks it again."""

    def frame(self, message: Message, transaction: TransactionStatus) -> Frame:
        return _READ_ONLY if message.gexec and transaction == TransactionStatus.IDLE else Frame()


class Looking(Escort):
    """Keeps statements from changing anything: see `pgrehearse.text.looking`."""

    def frame(self, message: Message, transaction: TransactionStatus) -> Frame:
        way = way_of(message.sql)
        if way is Precaution.REFUSED:
            return Frame(refused="Preflight and Verify run in READ ONLY transactions that nothing may end")
        if transaction != TransactionStatus.IDLE:
            return Frame(
                refused="a transaction of another phase is open: Preflight and Verify have their own"
            )
        if way is Precaution.CHECKED:
            return Frame(
                (looking.BEGIN_CHECKED, looking.CHECK), (looking.CHECK, "COMMIT"), ("ROLLBACK",), single=True
            )
        return _READ_ONLY
