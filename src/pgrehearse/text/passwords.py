"""Passwords in statements: what must not reach a log, a page or a ledger."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator

from pgrehearse.text.split import SplitError, tokens

__all__ = ["marked", "redacted"]

#: A literal that holds a password somewhere inside: a connection string, a URL, quoted SQL.
_HOLDS_PASSWORD = re.compile(r"passw(?:or)?d\s*(?:=|\s'')|://[^/\s:@]*:[^/\s@]+@", re.I)
#: Letters from which on a password cannot be part of a key word by chance.
_UNMISTAKABLE = 8
_SALT = secrets.token_bytes(16)
#: libpq's settings and the options of foreign servers that are nobody else's business.
_WORD = r"(?P<word>\b(?:sslpassword|password|passfile|oauth_client_secret|scram_(?:client|server)_key))"
#: ``password 'it''s'`` among OPTIONS.
_OPTION = re.compile(rf"{_WORD}(?P<is> )'(?P<value>(?:[^']|'')*)'", re.I)
_QUOTED = re.compile(r"""(?P<identifier>"(?:[^"]|"")*")|'(?P<literal>(?:[^']|'')*)'""")
#: Within a connection string: ``password = 'it\'s'``, ``password=it\'s``. A backslash takes the next sign.
_SETTING = re.compile(rf"{_WORD}(?P<is>\s*=\s*)(?P<value>'(?:\\.|[^'\\])*'?|(?:\\.|[^\s\\])*)", re.I | re.S)
#: Within a URI: ``://user:PASSWORD@host`` and ``?password=PASSWORD&``.
_USER_INFO = re.compile(r"(?P<word>\w://[^:@/?\s]*)(?P<is>:)(?P<value>[^@/]*)(?=@)")
_QUERY = re.compile(rf"(?<=[?&]){_WORD}(?P<is>=)(?P<value>[^&]*)", re.I)


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


def marked(sql: str) -> str:
    """``sql`` with a mark in place of each password: the same for equal ones, within this process.

    Of a connection string the rest stays, so that two can be compared.
    """
    return _QUOTED.sub(_literal, _OPTION.sub(lambda found: f"{found['word']} '{_mark(found)}'", sql))


def _literal(found: re.Match[str]) -> str:
    if found["identifier"]:
        return found[0]
    text = found["literal"].replace("''", "'")
    if "://" in text:
        text = _USER_INFO.sub(lambda part: f"{part['word']}:{_mark(part, '-')}", text)
        text = _QUERY.sub(lambda part: f"{part['word']}={_mark(part, '-')}", text)
    else:
        text = _SETTING.sub(lambda part: f"{part['word']}{part['is']}'{_mark(part)}'", text)
    return "'" + text.replace("'", "''") + "'"


def _mark(found: re.Match[str], blank: str = " ") -> str:
    digest = hmac.new(_SALT, found["value"].encode(), hashlib.sha256).hexdigest()
    return f"hidden{blank}{digest[:8]}"
