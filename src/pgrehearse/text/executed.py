"""Which arguments of ``EXECUTE name('a')`` are secrets: those that PREPARE puts at a secret place.

Where the text has no PREPARE of that name, nothing tells what an argument is for, so each counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pgrehearse.text.secret_values import SecretValues
from pgrehearse.text.split import SplitError, scanned

__all__ = ["EXECUTES", "PreparedStatements"]

_NAME = r"(?P<name>\"(?:[^\"]|\"\")+\"|[\w$]+)"
_BEFORE = r"\A(?:\s|--[^\r\n]*|/\*(?:[^*]|\*(?!/))*\*/)*+"
_PREPARE = re.compile(rf"{_BEFORE}prepare\s+{_NAME}\s*(?:\(|as\b)", re.I)
_EXECUTE = re.compile(rf"{_BEFORE}(?:explain\b[^;']{{0,99}}?\s)?execute\s+{_NAME}\s*\(", re.I)
#: A text without it executes nothing that was prepared.
EXECUTES = re.compile(r"\bexecute\s+[\w\"$]+\s*\(")


class PreparedStatements:
    """Is told the statements of a text one after the other.

    Args:
        named: as `SecretValues` asks.
    """

    def __init__(self, named: Callable[[str], bool]) -> None:
        self._named = named
        self._places: dict[str, frozenset[int]] = {}

    def executed(self, statement: str) -> frozenset[int] | None:
        """Places of secrets among the arguments of an EXECUTE; None: of any other statement.

        A place of -1 stands for all.
        """
        if found := _EXECUTE.match(statement):
            return self._places.get(_folded(found["name"]), frozenset({-1}))
        if found := _PREPARE.match(statement):
            self._places[_folded(found["name"])] = self._secrets(statement)
        return None

    def _secrets(self, statement: str) -> frozenset[int]:
        values, places, last = SecretValues(self._named), set(), ""
        try:
            for token in scanned(statement):
                if last == "$" and token.text.isdecimal() and values.here:
                    places.add(int(token.text) - 1)
                values.feed(token)
                last = token.text
        except SplitError:
            return frozenset({-1})
        return frozenset(places)


def _folded(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name.lower()
