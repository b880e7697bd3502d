"""The notices of a step, which were told as they came: what it printed is told without them."""

from __future__ import annotations

from collections import Counter, defaultdict

from pgrehearse.execution.bounds import ROOM

__all__ = ["Heard"]


class Heard:
    """What was heard of a step, each as often as it came; nothing is kept beyond what an output may hold."""

    def __init__(self) -> None:
        self._notices: Counter[str] = Counter()
        self._room = ROOM

    def add(self, text: str) -> None:
        self._room -= len(text)
        if self._room >= 0:
            self._notices[text] += 1

    def not_in(self, output: str) -> str:
        """``output`` without the notices. In one pass: there may be as many as there are rows."""
        left, first = Counter(self._notices), defaultdict[str, list[tuple[str, int]]](list)
        for text in left:
            first[text.split("\n", 1)[0]].append((text, text.count("\n") + 1))
        lines, rest, at = output.split("\n"), list[str](), 0
        while at < len(lines):
            for text, count in first.get(lines[at], ()):
                if left[text] and "\n".join(lines[at : at + count]) == text:
                    left[text] -= 1
                    at += count
                    break
            else:
                rest.append(lines[at])
                at += 1
        return "\n".join(rest)
