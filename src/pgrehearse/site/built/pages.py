"""What a built page holds: its code blocks, the runbooks it embeds, its downloads, what it loads."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pgrehearse.site.built.block_text import normal

__all__ = ["Block", "Page", "built_names", "downloads", "load", "missing_places", "offered", "style_loads"]

_LANGUAGE = re.compile(r"(?:^|\s)language-([\w+#.-]+)")
_EXTERNAL = re.compile(r"\s*(?:(?:https?|wss?|ftp):)?//", re.I)
_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s;]+)""", re.I)
#: Attributes a browser fetches on its own, by element; links only for some relations.
_FETCHED = {
    **dict.fromkeys(("audio", "embed", "iframe", "input", "script", "track"), ("src",)),
    **dict.fromkeys(("img", "source"), ("src", "srcset")),
    "video": ("src", "poster"),
    "object": ("data",),
    "link": ("href",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}
_FETCHING_RELATION = re.compile(
    r"\b(?:stylesheet|icon|preload|prefetch|preconnect|dns-prefetch|modulepreload|manifest)\b", re.I
)
#: The column of line numbers, which stands beside a block as if it was one.
_NUMBERS, _NO_LANGUAGE = re.compile(r"(?:^|\s)linenodiv(?:\s|$)"), "line numbers"
#: Elements that show their text line by line, and attributes that say what a block is.
_BLOCKS = ("pre", "xmp", "listing", "samp", "textarea", "plaintext")
_SAID = ("title", "data-run-illustration")
#: Says of a block that it is what a cell sent.
_SENT = "data-run-sent"
#: Elements that have no end tag.
_HEADING = re.compile("h[1-6]")
_VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr")


@dataclass(frozen=True)
class Block:
    """One code block of a page, or inline code that is highlighted.

    ``language`` is as published, empty when the page does not tell. ``shown``: the page says, with a title or
    the mark of an illustration, that it is only shown. ``section``: how many headings stand above it.
    ``sent``: the page says that a cell sent this.
    """

    language: str
    text: str
    line: int
    shown: bool = False
    section: int = 0
    sent: bool = False


@dataclass
class Page:
    """One built page. ``path`` is relative to the site; lines are lines of the HTML."""

    path: str
    blocks: list[Block] = field(default_factory=list)
    runbooks: list[str] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    downloads: list[tuple[str, int]] = field(default_factory=list)
    #: (what, URL, line) of everything a browser would fetch from another host
    loads: list[tuple[str, str, int]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    #: (href, line) of every link that names a place within a page
    places: list[tuple[str, int]] = field(default_factory=list)


def load(site: Path, path: Path) -> Page:
    """Read one HTML file below ``site``."""
    page = Page(path.relative_to(site).as_posix())
    reader = _Reader(page)
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return page


def offered(site: Path, page: Page) -> list[tuple[Path, str, int]]:
    """(file, href, line) of everything a page offers for download; the file may not exist yet."""
    folder = posixpath.dirname(page.path)
    return [
        (site / posixpath.normpath(posixpath.join(folder, unquote(_address(href).path))), href, line)
        for href, line in page.downloads
    ]


def missing_places(built: Iterable[Page]) -> Iterator[tuple[Page, str, int]]:
    """(page, href, line) of every link to a place that the page it names does not have.

    MkDocs looks at the links of Markdown only; what macros write is HTML. Links that leave the site, and to
    pages that were not built, are not looked at.
    """
    built = list(built)
    ids = {page.path: page.ids for page in built}
    for page in built:
        for href, line in page.places:
            url = _address(href)
            if url.scheme or url.netloc or url.path.startswith("/"):
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page.path), unquote(url.path)))
            name = page.path if not url.path else target
            name = posixpath.normpath(posixpath.join(name, "index.html")) if name not in ids else name
            if name in ids and unquote(url.fragment) not in ids[name]:
                yield page, href, line


def downloads(site: Path) -> list[Path]:
    """Every file that a page below ``site`` offers for download, once."""
    built = (load(site, path) for path in sorted(site.rglob("*.html")))
    return sorted({file for page in built for file, _, _ in offered(site, page)})


def built_names(page: str) -> tuple[str, str]:
    """Where MkDocs may put the page ``page`` (path below the folder of pages): as a folder, or as a file."""
    stem = posixpath.splitext(page)[0]
    index = posixpath.basename(stem) in ("index", "README")
    folder = posixpath.dirname(stem) if index else stem
    return posixpath.join(folder, "index.html"), f"{stem}.html"


def style_loads(css: str) -> list[str]:
    """URLs of other hosts that a style sheet fetches."""
    return _STYLE.findall(re.sub(r"/\*.*?\*/", "", css, flags=re.S))


def _address(href: str) -> SplitResult:
    """The parts of an address, all empty for what is none, such as ``http://[``."""
    try:
        return urlsplit(href)
    except ValueError:
        return urlsplit("")


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        #: (tag, language the element declares, whether it says that it is only shown) of every open element
        self._open: list[tuple[str, str, bool]] = []
        self._code: list[str] | None = None
        self._line, self._within, self._shown, self._language, self._section = 0, 0, False, "", 0
        self._sent_within: int | None = None  # how many elements are open around what says it was sent

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self._collect(tag, values)
        self._look_for_loads(tag, values)
        if _VOID.fullmatch(tag):
            return
        declared = _LANGUAGE.search(values.get("class", ""))
        language = values.get("data-run-language") or (declared.group(1) if declared else "")
        said = "noeval" in values.get("class", "").split() or (
            tag in _BLOCKS and any(name in values for name in _SAID)
        )
        self._section += bool(_HEADING.fullmatch(tag))
        if _SENT in values and self._sent_within is None:
            self._sent_within = len(self._open)
        if _NUMBERS.search(values.get("class", "")):
            language = _NO_LANGUAGE
        marked = bool(language) or "highlight" in values.get("class", "").split()
        if self._code is None and (tag in _BLOCKS or (tag == "code" and marked)):
            self._code, self._line, self._within = [], self.getpos()[0], len(self._open)
            self._shown = said or any(shown for *_, shown in self._open)
            self._language = next((found for _, found, _ in reversed(self._open) if found), "")
        if self._code is not None and language:
            self._language = language
        self._open.append((tag, language, said))

    def handle_endtag(self, tag: str) -> None:
        if tag not in (name for name, *_ in self._open):
            return
        while self._open.pop()[0] != tag:
            pass
        if self._code is not None and len(self._open) <= self._within:
            text = normal("".join(self._code))
            sent = self._sent_within is not None
            block = Block(self._language.lower(), text, self._line, self._shown, self._section, sent)
            if block.text and self._language != _NO_LANGUAGE:
                self.page.blocks.append(block)
            self._code = None
        if self._sent_within is not None and len(self._open) <= self._sent_within:
            self._sent_within = None

    def handle_data(self, data: str) -> None:
        if self._code is not None:
            self._code.append(data)
        elif self._open and self._open[-1][0] == "style":
            self._add("style", style_loads(data))

    def _collect(self, tag: str, values: dict[str, str]) -> None:
        if "data-run-runbook" in values:
            self.page.runbooks.append(values["data-run-runbook"])
        if values.get("data-run-total", "").isdigit():
            self.page.totals.append(int(values["data-run-total"]))
        names = ("id", "name") if tag == "a" else ("id",)  # of others, name is no place
        self.page.ids.update(values[name] for name in names if values.get(name))
        if tag == "a" and _address(values.get("href", "")).fragment:
            self.page.places.append((values["href"], self.getpos()[0]))
        if tag == "a" and "download" in values:
            self.page.downloads.append((values.get("href", ""), self.getpos()[0]))

    def _look_for_loads(self, tag: str, values: dict[str, str]) -> None:
        if tag != "link" or _FETCHING_RELATION.search(values.get("rel", "")):
            for name in _FETCHED.get(tag, ()):
                parts = values.get(name, "").split(",") if name == "srcset" else [values.get(name, "")]
                self._add(f"{tag} {name}", [part.strip() for part in parts if _EXTERNAL.match(part)])
        self._add("style attribute", style_loads(values.get("style", "")))
        # Two things the theme's own script fetches when it finds them on the page.
        if "mermaid" in values.get("class", "").split():
            self._add("mermaid diagram", ["//unpkg.com"])
        if values.get("data-md-component") == "source" and _EXTERNAL.match(values.get("href", "")):
            self._add("repository facts", [values["href"]])

    def _add(self, what: str, urls: list[str]) -> None:
        self.page.loads += [(what, url, self.getpos()[0]) for url in urls]
