"""How names stand in the cells of a runbook, and whether its parameters say so: the linter's rule."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pgrehearse.findings import Finding
from pgrehearse.text.document import Document
from pgrehearse.text.flaws import flaw
from pgrehearse.text.split import SplitError, Token, tokens
from pgrehearse.text.written_names import NameKind

__all__ = ["flaws"]

#: A place in a format string: the number of its argument, and how that is written.
_PLACE = re.compile(r"%(?:(\d+)\$)?-?\d*([sIL%])")
#: Columns of the catalogs and of information_schema that hold names.
_NAME_COLUMN = (
    r"\b(?:rel|att|con|typ|nsp|pro|ext|tg|rol|dat|coll|opc|am|spc|lan|pol|sub|pub|stx|srv|fdw|evt|rule"
    r"|(?:table|column|constraint|index|schema|view|sequence|trigger|domain)_?)name"
)
#: Declared kinds that fit a place; the first is what a message proposes.
_FITTING = {
    NameKind.RELATION: (NameKind.RELATION,),
    NameKind.TYPE: (NameKind.TYPE,),
    NameKind.NAMES: (NameKind.NAMES, NameKind.NAMES_OR_SQL),
    NameKind.NAME: (NameKind.NAME,),
}


def flaws(document: Document) -> Iterator[Finding]:
    """Parameters of a runbook whose values stand as names, and that have no kind or one that does not fit."""
    if not document.is_runbook:
        return
    cells = [cell.source for cell in document.cells if cell.phase != "Rehearsal" and cell.language == "sql"]
    source = "\n".join(cells)
    places: dict[str, set[str]] = defaultdict(set)
    for cell in cells:
        try:
            found = list(tokens(cell))
        except SplitError:  # a flaw of its own
            continue
        for name, place in _formatted(found):
            places[name].add(place)
    for name, parameter in document.front.parameters.items():
        kind = _kind(name, source, places[name])
        if kind is not None and parameter.kind not in _FITTING[kind]:
            line = _line(document, name)
            message = f"{name} stands as {_SAID[kind]} in the cells, and its kind is {parameter.kind.value}"
            yield flaw(line, "parameter-kind", message, f"write kind: {kind.value} below {name}", style=True)
        elif parameter.kind in (NameKind.RELATION, NameKind.TYPE) and f':"{name}"' in source:
            message = f':"{name}" would put schema and name into one pair of quotes'
            fix = f"write format('... %s ...', :'{name}'::reg{_REG[parameter.kind]}) and \\gexec"
            yield flaw(_line(document, name), "parameter-kind", message, fix, style=True)


_SAID = {
    NameKind.RELATION: "a relation",
    NameKind.TYPE: "a type",
    NameKind.NAMES: "names",
    NameKind.NAME: "a name",
}
_REG = {NameKind.RELATION: "class", NameKind.TYPE: "type"}


def _line(document: Document, name: str) -> int:
    header = document.text.split("\n")[: document.front.lines]
    return next((i for i, text in enumerate(header, 1) if text.strip().startswith(f"{name}:")), 1)


def _kind(name: str, source: str, places: set[str]) -> NameKind | None:
    """The kind of name that the cells take the value of ``name`` for; None where it is none for sure."""
    value = f":'{name}'"

    def said(pattern: str) -> bool:
        return re.search(pattern.format(re.escape(value)), source) is not None

    if said(r"{}::regclass\b") or said(r"to_regclass\({}\)"):
        return NameKind.RELATION
    if said(r"string_to_table\({},"):
        return NameKind.NAMES
    if said(r"{}::regtype\b") or said(r"to_regtype\({}\)"):
        return NameKind.TYPE
    compared = said(_NAME_COLUMN + r"\s*(?:=|<>)\s*{}") or said(
        _NAME_COLUMN + r"\s+(?:NOT\s+)?IN\s*\([^()]*?{}"
    )
    return NameKind.NAME if "I" in places or f':"{name}"' in source or compared else None


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
