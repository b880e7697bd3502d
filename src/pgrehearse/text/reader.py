"""Reads a statement the way a grammar does: word after word, blanks and comments skipped.

Names are compared as PostgreSQL compares them in UTF-8: ASCII letters of bare words in lower case, quoted
names as they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pgrehearse.text.split import Statement, Token, tokens

__all__ = ["Reader", "literal", "lowered", "plain", "reading"]

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def lowered(token: Token) -> str:
    """The text of ``token`` with ASCII letters in lower case; quotes and what they hold stay."""
    return token.text if token.kind in ("quoted", "string", "dollar") else token.text.translate(_LOWER)


def plain(name: str) -> str:
    """The name that ``name`` spells, which may be quoted."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def literal(token: Token) -> str | None:
    """What a string constant holds, escapes of ``E''`` left as they are; None for any other token."""
    if token.kind == "string":
        return token.text[token.text.index("'") + 1 : -1].replace("''", "'")
    if token.kind == "dollar":
        tag = token.text.index("$", 1) + 1
        return token.text[tag:-tag]
    return None


class Reader:
    """A place in a statement. It reads no further than it is asked: an INSERT may be megabytes long."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._rest = (token for token in tokens if token.kind not in ("space", "comment"))
        self._read: list[Token] = []
        self._words: list[str] = []  # of those read, which are asked for again and again
        self.at = 0

    def again(self) -> Reader:
        """The same reader, at the beginning."""
        self.at = 0
        return self

    def token(self, ahead: int = 0) -> Token | None:
        """The token ``ahead`` of this place; None behind the end."""
        at, read = self.at + ahead, self._read
        while len(read) <= at:
            following = next(self._rest, None)
            if following is None:
                return None
            read.append(following)
            self._words.append(lowered(following) if following.kind == "word" else "")
        return read[at]

    def word(self, ahead: int = 0) -> str:
        """The bare word there in lower case; empty for anything else."""
        at = self.at + ahead
        if at < len(self._words) or self.token(ahead) is not None:
            return self._words[at]
        return ""

    def sign(self, ahead: int = 0) -> str:
        """The operator, comma or parenthesis there; empty for words, names and constants."""
        token = self.token(ahead)
        return token.text if token is not None and token.kind == "other" else ""

    def words(self, most: int = 8) -> tuple[str, ...]:
        """The bare words from here to the first other token."""
        found: list[str] = []
        while len(found) < most and (word := self.word(len(found))):
            found.append(word)
        return tuple(found)

    def takes(self, *words: str) -> bool:
        """Goes past ``words`` if they stand here, in this order."""
        if self.word() != words[0]:
            return False
        if any(self.word(ahead) != word for ahead, word in enumerate(words[1:], 1)):
            return False
        self.at += len(words)
        return True

    def takes_one(self, *words: str) -> str:
        """Goes past the one of ``words`` that stands here; empty if none does."""
        word = self.word()
        if word not in words:
            return ""
        self.at += 1
        return word

    def path(self) -> tuple[str, ...]:
        """Goes past a name, maybe qualified: its parts, quoted ones with quotes; empty if none is here."""
        parts: list[str] = []
        while (token := self.token()) is not None and token.kind in ("word", "quoted"):
            parts.append(lowered(token))
            self.at += 1
            if self.sign() != ".":
                break
            self.at += 1
        return tuple(parts)

    def parenthesis(self) -> list[Token]:
        """Goes past a parenthesis that opens here, to its end: the tokens inside; empty if none opens."""
        found: list[Token] = []
        if self.sign() != "(":
            return found
        depth = 0
        for token in self.rest():
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth == 0:
                break
            found.append(token)
        return found[1:]

    def rest(self) -> Iterator[Token]:
        """The tokens from here on, each passed as it is given out."""
        while (token := self.token()) is not None:
            self.at += 1
            yield token

    def outside(self) -> Iterator[Token]:
        """The tokens from here on that stand in no parentheses."""
        while (token := self.token()) is not None:
            if token.text == "(":
                self.parenthesis()
                continue
            self.at += 1
            yield token

    def outer(self, word: str, until: str = "") -> Iterator[Token]:
        """Each bare ``word`` outside parentheses, this reader behind it; no further than to ``until``."""
        while (token := self.token()) is not None:
            if token.text == "(":
                self.parenthesis()
                continue
            if until and self.word() == until:
                return
            if self.takes(word):
                yield token
            else:
                self.at += 1


def reading(statement: Statement | str) -> Reader:
    """A reader at the beginning of ``statement``."""
    return Reader(tokens(statement) if isinstance(statement, str) else statement.tokens)
