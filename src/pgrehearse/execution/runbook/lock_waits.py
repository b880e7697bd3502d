"""How long the statements of a run wait for a lock, where the operator says so."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pgrehearse.text.split import SplitError, split
from pgrehearse.text.statement import classify
from pgrehearse.text.variables import quote_literal

__all__ = ["LockWaits"]

_UNLIMITED = re.compile(r"\s*0*(?:\.0*)?\s*[a-z]*\s*", re.I)


@dataclass(frozen=True)
class LockWaits:
    """``given``: the lock_timeout of the operator, in PostgreSQL's notation; None leaves it to the runbook.

    A runbook that waits without end says why: a build that gives up leaves an INVALID index. That stays.
    """

    given: str | None = None

    @property
    def first(self) -> str:
        """What the session begins with."""
        return self.given or "2s"

    def rewritten(self, text: str) -> str:
        """``text``, SQL, where each SET of lock_timeout, other than to 0, sets what the operator gave."""
        if self.given is None or "lock_timeout" not in text.lower():
            return text
        try:
            statements = split(text)
        except SplitError:  # PostgreSQL, or the reader of cells, says what is wrong with it
            return text
        for sql in dict.fromkeys(statement.sql for statement in statements):
            if (before := self._limit(sql)) is not None:
                lines = "\n" * sql.count("\n")  # messages name lines
                text = text.replace(sql, f"{lines}SET {before}lock_timeout = {quote_literal(self.given)}")
        return text

    def _limit(self, sql: str) -> str | None:
        """What stands before the name where ``sql`` does nothing but limit the wait for locks; else None."""
        kind = classify(sql)
        if kind.verb != "set" or [one.name for one in kind.settings] != ["lock_timeout"]:
            return None
        (one,) = kind.settings
        if one.value is None or _UNLIMITED.fullmatch(one.value):
            return None
        return "LOCAL " if one.local else ""
