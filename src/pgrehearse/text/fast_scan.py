r"""Statements whose end is found by one pattern, without reading them token by token.

Large files are mostly these. `text.split` reads whatever the pattern does not match.
"""

from __future__ import annotations

import re
from functools import cache

__all__ = ["simple"]

#: No dollar signs, no /* */, no E'' and no command of psql's. Each part is possessive: what does not match is
#: found out without trying again.
_ATOM = r"""[^'"$;()\\/-]++ | (?<![eE])'[^']*+' | "[^"]*+" | -(?!-) | --[^\r\n]*+ | /(?!\*)"""
#: Words after which no body of a function and no rows for COPY can stand.
_HEADS = r"alter|comment|create(?=\s+(?:unique|index|table)\b)|delete|drop|grant|insert|revoke|select|update"
#: How deep its parentheses may be.
_DEPTH = 4


@cache
def simple(space: str) -> re.Pattern[str]:
    """What such a statement matches, from the end of the one before to its semicolon; group 1 is its text.

    ``space``: the characters the server skips. Compiled when it is asked for: short texts do not need it.
    """
    nested = _ATOM
    for _ in range(_DEPTH):
        nested = rf"{_ATOM} | \((?:{nested})*+\)"
    return re.compile(rf"(?:[{space}]++|--[^\r\n]*+)*+ ((?i:{_HEADS})\b (?:{nested})*+) ;", re.X)
