"""Which settings a statement changes: SET and RESET in all their forms, and ``SELECT set_config(...)``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pgrehearse.text.reader import Reader, literal, lowered, plain
from pgrehearse.text.split import Token

__all__ = ["Call", "Setting", "configured", "session_calls", "settings"]

#: SET forms with a syntax of their own -> the setting.
_SPECIAL = {
    ("time", "zone"): "timezone",
    ("session", "authorization"): "session_authorization",
    ("role",): "role",
    ("names",): "client_encoding",
    ("schema",): "search_path",
    ("seed",): "seed",
    ("xml", "option"): "xmloption",
}
#: Functions whose effect lasts as long as the session, besides set_config.
_LASTING = frozenset(
    f"pg_{attempt}advisory_{what}{shared}"
    for attempt in ("", "try_")
    for what in ("lock", "unlock")
    for shared in ("", "_shared")
) | {"pg_advisory_unlock_all", "setseed", "set_config"}
_TRUE = ("t", "tr", "tru", "true", "y", "ye", "yes", "on", "1")
#: Words that end the list of what a SELECT returns.
_AFTER_LIST = frozenset(
    (
        *("from", "into", "where", "group", "having", "window", "union", "intersect", "except"),
        *("order", "limit", "offset", "fetch", "for"),
    )
)


@dataclass(frozen=True)
class Setting:
    """One change of a setting.

    Attributes:
        name: in lower case; ``all`` for RESET ALL, ``constraints``, ``transaction`` and ``characteristics``
            for what SET does to those.
        value: as text; None for its default, or for what is no constant.
        local: whether it ends with the transaction.
    """

    name: str
    value: str | None = None
    local: bool = False


@dataclass(frozen=True)
class Call:
    """A call of a function whose effect lasts as long as the session: its name, its arguments' tokens."""

    name: str
    arguments: tuple[tuple[Token, ...], ...]


def settings(reader: Reader) -> Iterator[Setting]:
    """What the SET or RESET at the place of ``reader`` changes; nothing if another statement stands there."""
    if reader.takes("reset"):
        name = _named(reader)
        yield Setting(name)
    elif reader.takes("set"):
        yield _set(reader)


def _set(reader: Reader) -> Setting:
    if what := reader.takes_one("constraints", "transaction"):
        return Setting(what, local=True)
    local = reader.takes("local")
    if reader.takes("session", "characteristics"):
        return Setting("characteristics")
    if not local and reader.word() == "session" and reader.word(1) != "authorization":
        reader.takes("session")
    name = _named(reader)
    if not reader.takes("to") and reader.sign() == "=":
        reader.at += 1
    return Setting(name, _value(list(reader.rest())), local)


def _named(reader: Reader) -> str:
    for words, name in _SPECIAL.items():
        if (
            reader.sign(len(words)) not in ("=", ".")
            and reader.word(len(words)) != "to"
            and reader.takes(*words)
        ):
            return name
    return ".".join(plain(part).lower() for part in reader.path())


def _value(tokens: Sequence[Token]) -> str | None:
    if len(tokens) == 1:
        [token] = tokens
        held = literal(token)
        if held is None and lowered(token) in ("default", "local"):
            return None
        return plain(lowered(token)) if held is None else held
    if [lowered(token) for token in tokens] == ["from", "current"]:
        return None
    return "".join(token.text for token in tokens)


def session_calls(reader: Reader) -> tuple[list[Call], bool]:
    """Calls in the SELECT at the place of ``reader``, and whether its list holds calls of other functions.

    Calls in the arguments of these calls do not count as others.
    """
    found: list[Call] = []
    others, depth, in_list = False, 0, reader.takes("select")
    while (token := reader.token()) is not None:
        if token.kind in ("word", "quoted"):
            in_list = in_list and (depth > 0 or reader.word() not in _AFTER_LIST)
            path = reader.path()
            if reader.sign() != "(":
                continue
            name = plain(path[-1])
            if name in _LASTING and [plain(part) for part in path[:-1]] in ([], ["pg_catalog"]):
                found.append(Call(name, tuple(_arguments(reader.parenthesis()))))
            else:
                others = others or in_list
        else:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            reader.at += 1
    return found, others


def _arguments(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    depth, begun = 0, 0
    for number, token in enumerate(tokens):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if token.text == "," and depth == 0:
            yield tuple(tokens[begun:number])
            begun = number + 1
    yield tuple(tokens[begun:])


def configured(calls: Sequence[Call]) -> Iterator[Setting]:
    """What the set_config calls among ``calls`` change."""
    for call in calls:
        if call.name == "set_config":
            name, value, local = (_constant(tokens) for tokens in (*call.arguments, (), (), ())[:3])
            yield Setting((name or "").lower(), value, (local or "").lower() in _TRUE)


def _constant(tokens: Sequence[Token]) -> str | None:
    """The constant that ``tokens`` are, maybe with a cast; None for any other expression."""
    kept = list(tokens)
    for number, (token, _) in enumerate(pairwise(tokens)):
        if token.text == "::":
            kept = list(tokens[:number])
            break
    if len(kept) != 1:
        return None
    held = literal(kept[0])
    if held is not None:
        return held
    return lowered(kept[0]) if kept[0].text.isdigit() or lowered(kept[0]) in ("true", "false") else None
