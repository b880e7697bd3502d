"""Two schemas side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from pgrehearse.schema.definition import Schema
from pgrehearse.schema.items import Item
from pgrehearse.text.split import SplitError, tokens

__all__ = ["Difference", "Differences", "differences", "in_the_form_of"]

_LONG = 60  # characters of a changed part that are quoted
_BEFORE = 20  # of these, characters before the difference


@dataclass(frozen=True)
class Difference:
    """A statement that one side has and the other has not, and in a line what that means."""

    object: str
    subject: str
    sql: str
    why: str


@dataclass(frozen=True)
class Differences:
    """What one schema has and the other has not. False when there is nothing."""

    only_left: tuple[Difference, ...] = ()
    only_right: tuple[Difference, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only_left or self.only_right)

    def __len__(self) -> int:
        return len(self.only_left) + len(self.only_right)

    @property
    def objects(self) -> list[str]:
        """What differs, in order."""
        return sorted({one.object for one in (*self.only_left, *self.only_right)})

    @property
    def subjects(self) -> list[tuple[str, str]]:
        """Object and subject of what differs, in order; two versions of one thing count once."""
        return sorted({(one.object, one.subject) for one in (*self.only_left, *self.only_right)})


def differences(left: Schema, right: Schema, names: tuple[str, str] = ("left", "right")) -> Differences:
    """What ``left`` has and ``right`` has not, and the reverse, as statements.

    ``names`` are the sides in the explanations, such as ``("live", "the migrations")``.
    """
    other = {name for name, _ in set(left.versions) ^ set(right.versions)}
    ours, theirs = (
        Counter(
            item for item in side.items if item.object not in other or not item.subject.startswith("member ")
        )
        for side in (left, right)
    )
    only_left, only_right = sorted((ours - theirs).elements()), sorted((theirs - ours).elements())
    return Differences(
        tuple(_explained(only_left, only_right, names)),
        tuple(_explained(only_right, only_left, names[::-1])),
    )


def in_the_form_of(found: Schema, wanted: Schema, reloaded: Schema) -> Schema:
    """``wanted``, each item as ``found`` has it where ``reloaded`` has it so too.

    PostgreSQL reads some expressions back otherwise than it wrote them: ``x IN ('a', 'b')`` over a varchar
    comes out of a dump and a restore in another form, and keeps that one from then on. Which of the two a
    database has says only whether it was restored once.

    Args:
        reloaded: of a database that was made by a dump of ``wanted``; it may lack items.
    """
    theirs, again = _grouped(found), _grouped(reloaded)
    items: list[Item] = []
    other: dict[Item, Item] = {}
    for key, ours in _grouped(wanted).items():
        there = theirs.get(key, Counter())
        room = (ours - there).total()
        other_form = list(((there - ours) & again.get(key, Counter())).elements())[:room]
        items += (ours & there).elements()
        items += other_form
        own = list((ours - there).elements())
        items += own[len(other_form) :]
        other.update(zip(own, other_form, strict=False))
    dumped = tuple(other.get(item, item) for item in wanted.dumped)
    return replace(wanted, items=tuple(sorted(items)), dumped=dumped)


def _grouped(schema: Schema) -> dict[tuple[str, str], Counter[Item]]:
    groups: dict[tuple[str, str], Counter[Item]] = {}
    for item in schema.items:
        groups.setdefault((item.object, item.subject), Counter())[item] += 1
    return groups


def _explained(items: Iterable[Item], others: Iterable[Item], names: tuple[str, str]) -> Iterator[Difference]:
    counterparts: dict[tuple[str, str], list[Item]] = {}
    for other in others:
        counterparts.setdefault((other.object, other.subject), []).append(other)
    for item in items:
        pairs = counterparts.get((item.object, item.subject), [])
        yield Difference(item.object, item.subject, item.sql, _why(item, pairs, names))


def _why(item: Item, pairs: list[Item], names: tuple[str, str]) -> str:
    here, there = names
    what = item.subject if item.object.split(" ")[0] != item.subject else "it"
    if len(pairs) == 1:
        ours, theirs = _parts(item.sql, pairs[0].sql)
        if ours == theirs:
            return f"{what}: spaced otherwise in {there}"
        ours, theirs = _shown(ours, theirs)
        return f"{what}: {ours or 'nothing'} in {here}, {theirs or 'nothing'} in {there}"
    if pairs:
        return f"{what}: otherwise in {there}"
    return f"{what}: missing in {there}"


def _parts(here: str, there: str) -> tuple[str, str]:
    """The words that differ, on this side and on the other."""
    ours, theirs = _words(here), _words(there)
    left, right = [], []
    for kind, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind != "equal":
            left.append("".join(ours[a:b]).strip())
            right.append("".join(theirs[c:d]).strip())
    return _joined(left), _joined(right)


def _words(sql: str) -> list[str]:
    try:
        return [" " if token.kind == "space" else token.text for token in tokens(sql)]
    except SplitError:
        return sql.split()


def _joined(parts: list[str]) -> str:
    text = " ... ".join(part for part in parts if part)
    return " ".join(text.split())


def _shown(ours: str, theirs: str) -> tuple[str, str]:
    """The beginning of each; from shortly before the difference where the beginnings are the same."""
    pairs = enumerate(zip(ours, theirs, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), min(len(ours), len(theirs)))
    start = same - _BEFORE if same >= _LONG else 0
    left, right = (
        ("..." if start else "") + text[start : start + _LONG] + ("..." if len(text) > start + _LONG else "")
        for text in (ours, theirs)
    )
    return left, right
