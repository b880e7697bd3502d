"""How far a reader is from the answers that people come for: clicks, and words on the way.

    python benchmarks/tasks.py [SITE]... [--json FILE]

Ten tasks, each with the page and the words that answer it. A way begins on the home page and follows
links of the text itself, not of menus or the search. Of all ways with the fewest clicks the one with the
fewest words is taken. Words count from the top of each page to the link that is clicked, on the last page to
the answer; what is folded does not count. With several sites the numbers stand beside each other.
"""

from __future__ import annotations

import argparse
import json
import posixpath
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent

#: What a reader wants -> the page that answers it, and how the answer begins there.
TASKS = {
    "a table is locked now: who, may I end it": ("stuck/table-is-locked/", "WITH RECURSIVE waiting"),
    "an INVALID index was left": ("runbooks/index-repair/", "REINDEX INDEX CONCURRENTLY"),
    "add an enum value today": ("runbooks/enum-add-value/", "ALTER TYPE store ADD VALUE"),
    "NOT NULL on 200 million rows": ("runbooks/constraint-not-null/", "NOT VALID"),
    "rename a column in a rolling deploy": ("runbooks/column-rename/", "RENAME COLUMN title"),
    "an integer key to bigint": ("runbooks/key-bigint/", "a second column of type bigint"),
    "drop a column": ("runbooks/column-drop/", "DROP COLUMN"),
    "a migration is half applied": ("stuck/migration-half-applied/", "SELECT 'INVALID index'"),
    "is this file safe?": ("guides/is-this-file-safe/", "pgrehearse xray"),
    "what does VALIDATE lock on 15?": ("reference/locks/", "VALIDATE CONSTRAINT"),
}
_DEEPEST = 4
_SKIPPED = ("script", "style", "svg", "template", "button")
_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")


@dataclass
class Text:
    """The words of a page in order, and its links with how many words stand before them."""

    words: list[str] = field(default_factory=list)
    links: list[tuple[str, int]] = field(default_factory=list)

    def before(self, answer: str) -> int | None:
        """How many words stand before the answer and in it; None when it is not there."""
        text, wanted = " ".join(self.words), " ".join(answer.split())
        at = text.find(wanted)
        return None if at < 0 else len(text[: at + len(wanted)].split())


class _Reader(HTMLParser):
    """Collects the article of a page; a folded part counts with its heading only."""

    def __init__(self) -> None:
        super().__init__()
        self.text = Text()
        self.open: list[tuple[str, bool]] = []  # element, whether what is in it is seen

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        outer = self.open[-1][1] if self.open else False
        seen = outer
        if tag == "article":
            seen = True
        elif tag in _SKIPPED or "headerlink" in (given.get("class") or "") or "hidden" in given:
            seen = False
        elif tag == "summary" and self.open and self.open[-1][0] == "details":
            seen = len(self.open) > 1 and self.open[-2][1]
        elif tag == "details":
            seen = outer and "open" in given
        if tag == "a" and outer and given.get("href"):
            self.text.links.append((given["href"] or "", len(self.text.words)))
        if tag not in _VOID:
            self.open.append((tag, seen))

    def handle_endtag(self, tag: str) -> None:
        while self.open and any(name == tag for name, _ in self.open):
            if self.open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][1]:
            self.text.words += data.split()


def text(site: Path, page: str) -> Text | None:
    path = site / page / "index.html"
    if not path.is_file():
        return None
    reader = _Reader()
    reader.feed(path.read_text("utf-8"))
    return reader.text


def way(site: Path, page: str, answer: str) -> tuple[int, int] | None:
    """Clicks and words to the answer; None when no way of four clicks leads there."""
    known: dict[str, Text | None] = {}
    best = {"": 0}  # page -> fewest words on the way to it
    at = {"": 0}
    for clicks in range(_DEEPEST + 1):
        if page in best:
            known.setdefault(page, text(site, page))
            last = known[page]
            rest = last.before(answer) if last else None
            return None if rest is None else (clicks, best[page] + rest)
        nearer: dict[str, int] = {}
        for place, words in at.items():
            known.setdefault(place, text(site, place))
            here = known[place]
            for href, before in here.links if here else ():
                target = _target(place, href)
                if target is not None and target not in best:
                    nearer[target] = min(nearer.get(target, words + before), words + before)
        best |= nearer
        at = nearer
    return None


def _target(place: str, href: str) -> str | None:
    """The page of the site that a link leads to."""
    parts = urlsplit(href)
    if parts.scheme or parts.netloc or not parts.path:
        return None
    found = posixpath.normpath(posixpath.join(place or ".", unquote(parts.path)))
    if found.startswith("..") or re.search(r"\.\w+$", found):
        return None
    return "" if found == "." else f"{found}/"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sites", type=Path, nargs="*", default=[ROOT / "site"])
    parser.add_argument("--json", type=Path, help="write the numbers of the last site here too")
    arguments = parser.parse_args()
    found = {name: [way(site, *wanted) for site in arguments.sites] for name, wanted in TASKS.items()}
    for name, ways in found.items():
        said = ("nowhere" if one is None else f"{one[0]} clicks, {one[1]:4} words" for one in ways)
        print(f"{name:42}", " | ".join(f"{one:>21}" for one in said))
    if arguments.json:
        last = {
            name: ways[-1] and dict(zip(("clicks", "words"), ways[-1], strict=True))
            for name, ways in found.items()
        }
        arguments.json.write_text(json.dumps(last, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
