"""A text cut at its semicolons, without reading it token by token.

Who looks for something that few statements have asks each piece as a whole, by words, and reads the tokens of
those alone. The cuts are where `text.split.scanned` finds semicolons, whatever stands between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgrehearse.text.split import TAG, WORD, closed

__all__ = ["pieces"]

#: What stands between two semicolons and ends by a pattern of its own. Possessive: a megabyte is one match.
_PLAIN = re.compile(
    rf"""(?:
        [ \t\n\r\f\v(),.=+*<>|&!?@%^~\[\]{{}}]++
      | '[^']*+(?:''[^']*+)*+'
      | [eE]'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'
      | "[^"]*+(?:""[^"]*+)*+"
      | (?![eE]'){WORD}
      | \d[\w.]*+
      | --[^\r\n]*+
      | :(?:'\w+'|"\w+"|\w+)
      | \\[^\n]*+
      | /(?!\*)
      | \$(?!\$|{TAG}\$)
      | [^'"/$;\\\w]
    )*+""",
    re.X | re.S,
)
#: What ends elsewhere, or not at all.
_OPENED = re.compile(rf"/\*|[eE]?'|\"|\$(?:{TAG})?\$")


def pieces(text: str) -> Iterator[str]:
    """``text`` in pieces, each to its semicolon. Raises SplitError, maybe late: something has no end."""
    begin = at = 0
    while at < len(text):
        at = plain.end() if (plain := _PLAIN.match(text, at)) else at
        if opened := _OPENED.match(text, at):
            at = closed(text, at, opened[0])[1]
        elif at < len(text):
            at += 1
            if text[at - 1] == ";":
                yield text[begin:at]
                begin = at
    if begin < len(text):
        yield text[begin:]
