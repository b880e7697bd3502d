"""Preflight and Verify only look: how each of their statements is kept from changing anything.

It runs in a READ ONLY transaction of its own. After the first snapshot PostgreSQL lets nothing make such a
transaction READ WRITE again, and a function cannot end it. DDL is refused there, on temporary objects too:
such a statement runs READ WRITE, and is undone when its transaction has touched more than those.
"""

from __future__ import annotations

import re
from enum import Enum

from pgrehearse import queries
from pgrehearse.text.reader import literal
from pgrehearse.text.split import SplitError, Statement
from pgrehearse.text.statement import Control, classify

__all__ = [
    "BEGIN_CHECKED",
    "BEGIN_READ_ONLY",
    "CHECK",
    "READ_ONLY_OPTION",
    "Precaution",
    "makes_temporary",
    "way_of",
]

BEGIN_READ_ONLY = "BEGIN READ ONLY"
#: For PGOPTIONS of Python cells, whose connections are their own: a cell can undo it.
READ_ONLY_OPTION = "-c default_transaction_read_only=on"
BEGIN_CHECKED = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ WRITE"
#: Sent after BEGIN_CHECKED and before COMMIT: 25006 when more than temporary objects was changed in between.
CHECK = queries.text("only_temporary").decode()


#: What a DO block says that makes a temporary object.
_TEMPORARY = re.compile(r"\b(temp|temporary|pg_temp)\b", re.I)


class Precaution(Enum):
    """How a statement of these phases is carried out."""

    READ_ONLY = "in a READ ONLY transaction"
    CHECKED = "in a transaction that is undone when it changed more than temporary objects"
    REFUSED = "not at all: it is about the transaction"


def makes_temporary(statement: Statement) -> bool:
    """Whether what ``statement`` generates may be about temporary objects, as far as its constants tell."""
    return any(_TEMPORARY.search(literal(token) or "") for token in statement.tokens)


def way_of(sql: str) -> Precaution:
    """How ``sql`` is carried out; what cannot be read is READ ONLY, for PostgreSQL to refuse."""
    try:
        kind = classify(sql)
    except SplitError:
        return Precaution.READ_ONLY
    if kind.control not in (None, Control.WITHIN):
        return Precaution.REFUSED
    temporary = kind.of_temporary or (kind.verb == "do" and _TEMPORARY.search(sql))
    return Precaution.CHECKED if temporary else Precaution.READ_ONLY
