"""Where the values of parameters stand in what a step sent, so that a page can put in a reader's own.

A text is followed only as far as it is sure: each of its words is a value of a parameter, is made of such
values, or stands in the texts that the query makes statements of. Any other came from the example's tables: a
reader's would give another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from pgrehearse.text.document import Cell, Document
from pgrehearse.text.split import SplitError, Statement, Token, split, tokens
from pgrehearse.text.variables import used
from pgrehearse.text.written_names import NameKind

__all__ = ["Followed", "Slot", "follow"]

#: A dollar quote: its tag, its body, its tag.
_DOLLAR = re.compile(r"(\$[^$]*\$)(.*)\1", re.S)
_LISTS = (NameKind.NAMES, NameKind.NAMES_OR_SQL)
#: Kinds whose values a name is made of, and a text.
_IN_NAMES = (NameKind.NAME, NameKind.RELATION, *_LISTS)
_IN_TEXTS = (NameKind.NAME, NameKind.TEXT)
#: Where a value may begin and end within a name.
_BOUNDED = r"(?<![^\W_]){}(?![^\W_])"
#: The schema of the example's tables. A reader's are in that of the table, or on the search path.
_HOME = re.compile(r"\bpublic\.$")
#: What is about an index by its name alone: where its table has a schema, so has the index.
_INDEX = re.compile(
    r"\b(?:DROP|ALTER|REINDEX|COMMENT ON)\s+INDEX(?:\s+CONCURRENTLY)?(?:\s+IF EXISTS)?\s+$", re.I
)
#: A shorter example is found in many words by chance.
_SHORTEST = 2


@dataclass(frozen=True)
class Slot:
    """A part of a text that values make.

    Attributes:
        text: with the values of the example.
        pieces: what it is made of: fixed texts, and names of parameters as ``(name,)``.
        form: how it is written: ``relation`` (``beside`` one: in its schema), ``type``, ``list``, ``name``,
            ``literal``, ``sql``.
        dollar: the dollar quote around it, which no value may end.
    """

    text: str
    pieces: tuple[str | tuple[str], ...]
    form: str
    dollar: str = ""


@dataclass(frozen=True)
class Followed:
    """A text in parts.

    ``sure``: all of it follows from the parameters. ``decides``: those of its query that have no slot here.
    ``indexed``: it names an index without the table.
    """

    parts: tuple[str | Slot, ...]
    sure: bool
    decides: tuple[str, ...] = ()
    indexed: bool = False


@dataclass
class _Reader:
    document: Document
    cells: Sequence[Cell]
    sure: bool = True
    found: set[str] = field(default_factory=set)

    @cached_property
    def texts(self) -> str:
        """What statements are made of: the strings of queries, and what is sent as it stands."""
        return "\n".join(text for cell in self.cells for one in split(cell.source) for text in _texts(one))

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", self.texts.lower()))

    @cached_property
    def kinds(self) -> dict[str, NameKind]:
        return {name: one.kind for name, one in self.document.front.parameters.items()}

    @cached_property
    def examples(self) -> dict[str, str]:
        return {name: example for name, example in self.document.front.examples().items() if example}

    def read(self, text: str, dollar: str = "") -> Iterator[str | Slot]:
        try:
            found = list(tokens(text))
        except SplitError:
            self.sure = False
            yield text
            return
        at = 0
        while at < len(found):
            long = self._long(found, at, dollar)
            if long is not None:
                slot, count = long
                yield slot
                at += count
                continue
            yield from self._token(found[at], dollar, self._before(found, at))
            at += 1

    def _before(self, found: list[Token], at: int) -> str:
        """The word or sign that says what the name ``at`` is of, such as ``type`` and ``::``."""
        before = [token.text.lower() for token in found[:at] if token.kind not in ("space", "comment")]
        if before[-2:] == ["public", "."]:
            before = before[:-2]
        return before[-1] if before else ""

    def _long(self, found: list[Token], at: int, dollar: str) -> tuple[Slot, int] | None:
        """The slot of a value of several tokens that begins ``at``, and how many it takes."""
        for name, example in sorted(self.examples.items(), key=lambda one: -len(one[1])):
            kind = self.kinds[name]
            try:
                wanted = [token.text for token in tokens(example)]
            except SplitError:
                continue
            here = [token.text for token in found[at : at + len(wanted)]]
            if len(wanted) > 1 and kind in (NameKind.SQL, *_LISTS, NameKind.TYPE) and here == wanted:
                return self._slot("".join(here), [(name,)], _form(kind), dollar), len(wanted)
        return None

    def _token(self, token: Token, dollar: str, before: str) -> Iterator[str | Slot]:
        if token.kind == "dollar" and (quote := _DOLLAR.fullmatch(token.text)) is not None:
            yield quote[1]
            yield from self.read(quote[2], quote[1])
            yield quote[1]
        elif token.kind in ("word", "quoted"):
            yield self._name(token, dollar, before)
        elif token.kind == "string":
            yield self._text(token, dollar)
        elif token.kind == "other" and token.text[0].isdigit():
            yield self._number(token, dollar)
        else:
            if token.kind == "comment" and token.text not in self.texts:
                self.sure = False
            yield token.text

    def _name(self, token: Token, dollar: str, before: str) -> str | Slot:
        name = token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text
        kinds = (NameKind.RELATION, NameKind.TYPE, *_LISTS, NameKind.NAME, NameKind.SQL)
        exact = self._exact(name, kinds)
        pieces = self._pieces(name, _IN_NAMES) if not exact and name.lower() not in self.words else None
        if exact or pieces is not None:
            if before in ("type", "::") and not any(self.kinds[one] is NameKind.TYPE for one in exact):
                self.sure = False  # a type that happens to be called like another thing
            elif len(exact) == 1:
                form = "name" if before == "to" else _form(self.kinds[exact[0]])
                return self._slot(token.text, [(exact[0],)], form, dollar)
            elif pieces is not None:
                return self._slot(token.text, pieces, "name", dollar)
            self.sure = False
        elif name.lower() not in self.words and name != "public":
            self.sure = False
        return token.text

    def _text(self, token: Token, dollar: str) -> str | Slot:
        if token.text[0] in "eE":
            self.sure = False
            return token.text
        text = token.text[1:-1].replace("''", "'")
        exact = self._exact(text, tuple(NameKind))
        if len(exact) == 1:
            return self._slot(token.text, [(exact[0],)], "literal", dollar)
        pieces = self._pieces(text, _IN_TEXTS)
        if not exact and pieces is not None:
            return self._slot(token.text, pieces, "literal", dollar)
        if exact or (text not in self.texts and token.text not in self.texts):
            self.sure = False
        return token.text

    def _number(self, token: Token, dollar: str) -> str | Slot:
        exact = self._exact(token.text, (NameKind.SQL,))
        if len(exact) == 1:
            return self._slot(token.text, [(exact[0],)], "sql", dollar)
        if exact or token.text not in self.words:
            self.sure = False
        return token.text

    def _exact(self, text: str, kinds: Iterable[NameKind]) -> list[str]:
        return [
            name for name, example in self.examples.items() if example == text and self.kinds[name] in kinds
        ]

    def _pieces(self, text: str, kinds: Iterable[NameKind]) -> list[str | tuple[str]] | None:
        """What ``text`` is made of, where that is a value and texts of the runbook; None otherwise."""
        known = {
            example: name
            for name, example in sorted(self.examples.items())
            if self.kinds[name] in kinds and len(example) >= _SHORTEST
        }
        if not known:
            return None
        choice = "|".join(_BOUNDED.format(re.escape(one)) for one in sorted(known, key=len, reverse=True))
        pieces: list[str | tuple[str]] = []
        end = 0
        for match in re.finditer(choice, text):
            pieces += [text[end : match.start()], (known[match[0]],)]
            end = match.end()
        pieces = [piece for piece in [*pieces, text[end:]] if piece]
        fixed = [piece for piece in pieces if isinstance(piece, str)]
        if end == 0 or any(piece not in self.texts for piece in fixed):
            return None
        return pieces

    def _slot(self, text: str, pieces: Iterable[str | tuple[str]], form: str, dollar: str) -> Slot:
        made = tuple(pieces)
        self.found |= {piece[0] for piece in made if isinstance(piece, tuple)}
        return Slot(text, made, form, dollar)


def _form(kind: NameKind) -> str:
    return "list" if kind in _LISTS else kind.value


def follow(text: str, document: Document, cells: Sequence[Cell]) -> Followed:
    """``text``, sent by the last of ``cells``, in parts. The others make what its query looks at."""
    reader = _Reader(document, cells)
    parts = tuple(_placed(list(_joined(_read(reader, text)))))
    before = [part for part, slot in pairwise(parts) if isinstance(part, str) and isinstance(slot, Slot)]
    return Followed(parts, reader.sure, _deciding(reader), any(map(_INDEX.search, before)))


def _read(reader: _Reader, text: str) -> Iterator[str | Slot]:
    """The parts of ``text``. A statement that is sent as it is written is one, whatever the values."""
    fixed = [
        one.sql for cell in reader.cells for one in split(cell.source) if not one.gexec and not used(one.sql)
    ]
    if not fixed:
        yield from reader.read(text)
        return
    for number, part in enumerate(re.split(f"({'|'.join(map(re.escape, fixed))})", text)):
        if number % 2:
            yield part
        else:
            yield from reader.read(part)


def _deciding(reader: _Reader) -> tuple[str, ...]:
    """The parameters that decide what is sent by more than their value: they have no slot.

    Names decide nothing: what they are not written into, they only find.
    """
    *helpers, own = ({*used(cell.source)} for cell in reader.cells)
    asked = own.union(*helpers) if reader.found - own else own
    silent = (NameKind.TEXT, NameKind.SQL, NameKind.TYPE, *_LISTS)
    return tuple(sorted(name for name in asked - reader.found if reader.kinds[name] in silent))


def _texts(statement: Statement) -> Iterator[str]:
    if not statement.gexec:
        yield statement.sql
        return
    yield from (token.text for token in statement.tokens if token.kind in ("string", "dollar"))


def _placed(parts: list[str | Slot]) -> Iterator[str | Slot]:
    """The same with the example's schema as part of the names in it, and lists only in parentheses."""
    for at, part in enumerate(parts):
        after = parts[at + 1] if at + 1 < len(parts) else ""
        before = parts[at - 1] if at else ""
        if isinstance(part, str):
            within = isinstance(after, Slot) and after.form in ("relation", "name")
            yield _HOME.sub("", part) if within else part
            continue
        whole = str(before).endswith("(") and str(after).startswith(")")
        if part.form == "list" and not whole:
            part = replace(part, form="name")  # noqa: PLW2901 - one of the list
        if part.form in ("relation", "name") and isinstance(before, str) and _HOME.search(before):
            form = "relation" if part.form == "relation" else "beside"
            part = replace(part, text=f"public.{part.text}", form=form)  # noqa: PLW2901
        yield part


def _joined(parts: Iterable[str | Slot]) -> Iterator[str | Slot]:
    """The same with neighboring texts as one."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        if text:
            yield text
        yield part
        text = ""
    if text:
        yield text
