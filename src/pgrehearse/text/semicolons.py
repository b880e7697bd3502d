"""What a semicolon means where it stands: the end of a statement, or not, as psql guesses it."""

from __future__ import annotations

__all__ = ["CopyData", "Depth"]


class Depth:
    """Whether a semicolon is hidden: parentheses, and BEGIN ATOMIC bodies as psql guesses them."""

    def __init__(self) -> None:
        self.paren = 0
        self.begin = 0
        self._words = 0
        self._head: list[str] = []  # of the first four words, without OR REPLACE

    def see(self, kind: str, text: str) -> None:
        """The next token."""
        if text == "(":
            self.paren += 1
        elif text == ")":
            self.paren = max(0, self.paren - 1)
        elif kind == "word" and (self._words < 4 or self._routine):
            self._word(text.lower())

    @property
    def _routine(self) -> bool:
        return self._head[:2] in (["create", "function"], ["create", "procedure"])

    def _word(self, word: str) -> None:
        self._words += 1
        if self._words <= 4 and word not in ("or", "replace"):
            self._head.append(word)
        if self.paren or not self._routine:
            return
        if word == "begin" or (word == "case" and self.begin):
            self.begin += 1
        elif word == "end" and self.begin:
            self.begin -= 1

    @property
    def open(self) -> bool:
        return self.paren > 0 or self.begin > 0


class CopyData:
    """Whether a statement is a COPY whose rows the client sends or gets."""

    def __init__(self) -> None:
        self._before = ""
        self._copies = False
        self.through_client = False

    def see(self, text: str) -> None:
        """The next token."""
        if self._copies or not self._before:
            text = text.lower()
            self._copies = self._copies or text == "copy"
            if (self._before, text) in (("from", "stdin"), ("to", "stdout")):
                self.through_client = True
            self._before = text
