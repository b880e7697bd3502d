"""Where a connection string holds a password: within a URI, or as a setting of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

__all__ = ["QUERY", "SETTING", "WORD", "in_uris", "user_info"]

WORD = r"(?P<word>\b(?:sslpassword|password|passfile|oauth_client_secret|scram_(?:client|server)_key))"
#: Within a connection string: ``password = 'it\'s'``, ``password=it\'s``. A backslash takes the next sign.
SETTING = re.compile(rf"{WORD}(?P<is>\s*=\s*)(?P<value>'(?:\\.|[^'\\])*'?|(?:\\.|[^\s\\])*)", re.I | re.S)
#: Within a URI: ``://user:`` before ``PASSWORD@host``, whatever is in that, and ``?password=PASSWORD&``.
_USER = re.compile(r"://[^/\s:@?#]*:")
_UNBROKEN = re.compile(r"\S+")
QUERY = re.compile(rf"(?<=[?&]){WORD}(?P<is>=)(?P<value>[^&\s]*)", re.I)


def user_info(text: str) -> Iterator[tuple[int, int]]:
    """Where the passwords of URIs begin and end: up to the last @ before a blank, since they may hold one."""
    for run in _UNBROKEN.finditer(text) if "://" in text else ():
        end = text.rfind("@", run.start(), run.end())
        if end >= 0 and (user := _USER.search(text, run.start(), end)):
            yield user.end(), end


def in_uris(text: str, replaced: Callable[[str], str]) -> str:
    """``text`` with the passwords of URIs ``replaced``."""
    done, parts = 0, []
    for begin, end in user_info(text):
        parts += [text[done:begin], replaced(text[begin:end])]
        done = end
    return "".join(parts) + text[done:]
