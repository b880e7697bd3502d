"""Links of a Markdown text, rewritten for a page that lies elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from pgrehearse.text import fenced_blocks

__all__ = ["rewrite"]

# Inline links and images `[text](target "title")`, and definitions `[label]: target`.
# A footnote `[^label]: text` looks like a definition.
_INLINE = re.compile(
    r"(?P<head>\]\([ \t]*)(?P<target><[^<>\n]*>|[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)"
    r"""(?P<tail>(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*\)|[^()\n]*\))"""
)
_DEFINITION = re.compile(r"^(?P<head> {0,3}\[(?!\^)[^\]\n]+\]:[ \t]+)(?P<target><[^<>\n]*>|\S+)(?P<tail>.*)$")
_CODE_SPAN = re.compile(r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)")
_ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|#|$")


def rewrite(text: str, first_line: int, target: Callable[[str, int], str]) -> str:
    """``text`` with the target of every relative link replaced by ``target(old, line)``.

    Fences and code spans stay as they are, and so do absolute URLs and links within the page.
    """
    lines = text.split("\n")
    for number, line in fenced_blocks.outside(lines, fenced_blocks.scan(lines, first_line), first_line):
        lines[number - first_line] = _line(line, lambda old, at=number: target(old, at))  # type: ignore[misc]
    return "\n".join(lines)


def _line(line: str, target: Callable[[str], str]) -> str:
    spans: list[str] = []

    def hide(match: re.Match[str]) -> str:
        spans.append(match[0])
        return f"\0{len(spans) - 1}\0"

    def replace(match: re.Match[str]) -> str:
        old = match["target"]
        bracketed = old.startswith("<") and old.endswith(">")
        bare = old[1:-1] if bracketed else old
        if _ELSEWHERE.match(bare):
            return match[0]
        new = target(bare)
        return match["head"] + (f"<{new}>" if bracketed else new) + match["tail"]

    hidden = _CODE_SPAN.sub(hide, line)
    rewritten = _DEFINITION.sub(replace, _INLINE.sub(replace, hidden))
    return re.sub(r"\0(\d+)\0", lambda match: spans[int(match[1])], rewritten)
