"""Passwords in statements: what must not reach a log, a page or a ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgrehearse.text.split import SplitError, tokens

__all__ = ["redacted"]

#: A literal that holds a password somewhere inside: a connection string, a URL, quoted SQL.
_HOLDS_PASSWORD = re.compile(r"passw(?:or)?d\s*(?:=|\s'')|://[^/\s:@]*:[^/\s@]+@", re.I)
#: Letters from which on a password cannot be part of a key word by chance.
_UNMISTAKABLE = 8


def redacted(sql: str, text: str | None = None) -> str:
    """``text`` (default: the statement itself) with the passwords of ``sql`` replaced by ``***``.

    A password is a literal after the word PASSWORD, or a literal that holds a connection string with one.
    """
    shown = sql if text is None else text
    for secret in sorted(set(_secrets(sql)), key=len, reverse=True):
        shown = shown.replace(f"'{secret}'", "'***'")
        if text is not None or len(secret) >= _UNMISTAKABLE:
            shown = shown.replace(secret, "***")
    return shown


def _secrets(sql: str) -> Iterator[str]:
    word = ""
    for token in tokens(sql):
        if token.kind == "word":
            word = token.text.lower()
        elif token.kind == "string":
            value = token.text[token.text.index("'") + 1 : -1]
            if value and (word == "password" or _HOLDS_PASSWORD.search(value)):
                yield value
            word = ""
        elif token.kind == "dollar":
            tag = token.text[: token.text.index("$", 1) + 1]
            inner = token.text[len(tag) : -len(tag)]
            try:
                yield from _secrets(inner)
            except SplitError:  # the body is in another language
                if _HOLDS_PASSWORD.search(inner):
                    yield inner
