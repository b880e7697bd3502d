"""What the values of a runbook's parameters are to its statements: names, texts, or pieces of SQL."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import Enum

from pgrehearse.text.document import Document
from pgrehearse.text.split import Token, tokens

__all__ = ["Quoting", "kinds"]

#: A place in a format string: the number of its argument, and how that is written.
_PLACE = re.compile(r"%(?:(\d+)\$)?-?\d*([sIL%])")


class Quoting(Enum):
    """How a value is written as part of a statement."""

    RELATION = "relation"
    TYPE = "type"
    LIST = "list"
    NAME = "name"
    TEXT = "text"
    SQL = "sql"


def kinds(document: Document) -> dict[str, Quoting]:
    """Parameter -> what its values are, by what the cells do with it."""
    cells = [cell for cell in document.cells if cell.phase != "Rehearsal" and cell.language == "sql"]
    source = "\n".join(cell.source for cell in cells)
    places: dict[str, set[str]] = defaultdict(set)
    for cell in cells:
        for name, place in _formatted(list(tokens(cell.source))):
            places[name].add(place)
    return {name: _kind(name, source, places[name]) for name in document.front.parameters}


def _kind(name: str, source: str, places: set[str]) -> Quoting:
    value = f":'{name}'"

    def said(pattern: str) -> bool:
        return re.search(pattern.format(re.escape(value)), source) is not None

    if said(r"{}::regclass\b") or said(r"to_regclass\({}\)"):
        return Quoting.RELATION
    if said(r"string_to_table\({},"):
        return Quoting.LIST
    if said(r"{}::regtype\b") or said(r"to_regtype\({}\)"):
        return Quoting.TYPE
    compared = said(r"\w+name\s*(?:=|<>)\s*{}") or said(r"\w+name\s+(?:NOT\s+)?IN\s*\([^()]*?{}")
    if "I" in places or f':"{name}"' in source or compared:
        return Quoting.NAME
    return Quoting.SQL if "s" in places else Quoting.TEXT


def _formatted(found: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """(parameter, how it is written) of each argument of ``format`` that is just a parameter."""
    for at, token in enumerate(found):
        if token.kind == "word" and token.text.lower() == "format" and found[at + 1 : at + 2]:
            arguments = list(_arguments(found[at + 1 :]))
            if not arguments or len(arguments[0]) != 1:
                continue
            number = 0
            for place in _PLACE.finditer(arguments[0][0].text):
                if place[2] == "%":
                    continue
                number = int(place[1]) if place[1] else number + 1
                argument = arguments[number] if number < len(arguments) else ()
                if len(argument) == 1 and argument[0].kind == "variable":
                    yield argument[0].text.strip(":'\""), place[2]


def _arguments(found: Sequence[Token]) -> Iterator[list[Token]]:
    """The arguments of a call whose parenthesis comes first, without blanks and comments."""
    depth, argument = 0, list[Token]()
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "other" else 0
        if depth == 0:
            break
        if token.text == "," and depth == 1:
            yield argument
            argument = []
        elif token.kind not in ("space", "comment") and not (
            token.text == "(" and depth == 1 and not argument
        ):
            argument.append(token)
    if argument:
        yield argument
