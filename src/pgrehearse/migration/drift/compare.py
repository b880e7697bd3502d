"""Two schemas side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from pgrehearse.migration.drift.items import Item
from pgrehearse.migration.drift.schema import Schema
from pgrehearse.text.split import SplitError, tokens

__all__ = ["Difference", "Differences", "differences"]

_LONG = 60  # characters of a changed part that are quoted


@dataclass(frozen=True)
class Difference:
    """A statement that one side has and the other has not, and in a line what that means."""

    object: str
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


def differences(left: Schema, right: Schema) -> Differences:
    """What ``left`` has and ``right`` has not, and the reverse, as statements."""
    ours, theirs = Counter(left.items), Counter(right.items)
    only_left, only_right = sorted((ours - theirs).elements()), sorted((theirs - ours).elements())
    return Differences(
        tuple(_explained(only_left, only_right)),
        tuple(_explained(only_right, only_left)),
    )


def _explained(items: Iterable[Item], others: Iterable[Item]) -> Iterable[Difference]:
    counterparts: dict[tuple[str, str], list[Item]] = {}
    for other in others:
        counterparts.setdefault((other.object, other.subject), []).append(other)
    objects = {item.object for item in items if item.subject in ("table", "view")}
    for item in items:
        pairs = counterparts.get((item.object, item.subject), [])
        yield Difference(item.object, item.sql, _why(item, pairs, item.object in objects and not pairs))


def _why(item: Item, pairs: list[Item], new: bool) -> str:
    what = item.object if item.object.endswith(item.subject) else f"{item.subject} of {item.object}"
    if len(pairs) == 1:
        here, there = _parts(item.sql, pairs[0].sql)
        return f"{what}: {here or 'nothing'} here, {there or 'nothing'} on the other side"
    if pairs:
        return f"{what}: otherwise on the other side"
    return f"{item.object}: unknown on the other side" if new else f"{what}: missing on the other side"


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
    text = " ".join(text.split())
    return text if len(text) <= _LONG else text[:_LONG] + "..."
