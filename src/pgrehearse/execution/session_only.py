"""Whether a statement that makes the session does nothing else: a later session needs it made again.

Text does not tell what a function does that ``set_config`` or a temporary table takes its values from; the
locks of the transaction do. A sequence that a function takes numbers from is seen as well.
"""

from __future__ import annotations

from pgrehearse import queries
from pgrehearse.text.statement import Kind

__all__ = ["changes_nothing", "reads_nothing"]

#: Modes of locks that change nothing.
_READING = "ARRAY['AccessShareLock', 'RowShareLock']"
_NONE = "ARRAY[]::pg_catalog.text[]"


def changes_nothing(kind: Kind) -> str:
    """The statement that raises PGR01 when the transaction changed a table; empty where it cannot have."""
    said = "what the session of the earlier run had cannot be made again without a change of"
    return _asked(kind, _READING, said)


def reads_nothing(kind: Kind) -> str:
    """The same where it may not even have read one: what it read may be different the next time."""
    said = "this makes the session of what may be different when an interrupted run goes on"
    return _asked(kind, _NONE, said)


def _asked(kind: Kind, spared: str, said: str) -> str:
    if kind.verb == "prepare" or kind.routine:  # parsed with the locks it will need, and not carried out
        return ""
    return queries.text("session_only", spared=spared, said=said).decode()
