"""Design rule 1, on the built HTML: nothing unexecuted is published, and nothing executed is lost.

Every ``sql``, ``python`` and ``bash`` block of every page must be, by its text, a cell of that page's
document or of a runbook it embeds that ran green, or an illustration, or a cell that was skipped with a
reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pgrehearse.errors import DocumentError, SetupError
from pgrehearse.findings import Finding
from pgrehearse.site.built import pages
from pgrehearse.site.built.block_text import normal
from pgrehearse.site.built.pages import Block, Page
from pgrehearse.site.content.published import Counts, Published, published_documents, read
from pgrehearse.site.parts.sent import as_sent
from pgrehearse.text.options import ALWAYS, LANGUAGES
from pgrehearse.text.project import Project
from pgrehearse.text.taken_for import looks_printed, taken_for

__all__ = ["Accounting", "check"]

_SCRIPT_LOAD = re.compile(
    r"""(?:\bimport\s*\(?|\bfrom|\bfetch\(|importScripts\(|Worker\(|\.src\s*=)\s*["'`]((?:https?:)?//[^"'`]+)"""
)


@dataclass(frozen=True)
class Accounting:
    """What was found on the built pages. ``majors``: server major -> published cells that ran green on it."""

    pages: int
    counts: Counts
    majors: tuple[tuple[str, int], ...]

    @property
    def sentence(self) -> str:
        """``212 blocks: 198 run, 9 illustration, 5 skipped (reason)``."""
        return self.counts.sentence


@dataclass(frozen=True)
class _Entry:
    """A block a page must show: a cell, or an illustration (``state`` is None)."""

    item: Published
    language: str
    text: str
    line: int
    status: str
    reason: str = ""
    majors: tuple[str, ...] = ()


def check(project: Project, docs: Path, site: Path, *, downloads: bool = True) -> Accounting:
    """Check the site built into ``site`` from the pages in ``docs``.

    ``downloads``: every file offered for download must exist. Raises DocumentError listing all problems,
    SetupError when there is no site.
    """
    if not (site / "index.html").is_file():
        raise SetupError("no site has been built here", path=site, next_step="build it: make site")
    built = [pages.load(site, path) for path in sorted(site.rglob("*.html"))]
    documents = [read(project, path) for path in published_documents(project, docs)]
    matcher = _Matcher(project, docs, site, built, documents)
    problems = [*matcher.blocks(), *matcher.embeddings(), *matcher.totals(), *_loads(project, site, built)]
    problems += _places(built)
    if downloads:
        problems += _downloads(site, built)
    if problems:
        if len(problems) == 1:
            raise DocumentError.of(problems)
        raise DocumentError(f"{len(problems)} problems on the built site", findings=problems)
    return Accounting(
        len(built), matcher.counts(), tuple(sorted(matcher.majors.items(), key=lambda m: int(m[0])))
    )


class _Matcher:
    def __init__(
        self, project: Project, docs: Path, site: Path, built: list[Page], documents: list[Published]
    ) -> None:
        self.project = project
        self.built = built
        self.documents = documents
        self.runbooks = {
            item.document.path.stem: item
            for item in documents
            if item.document.path.is_relative_to(project.runbooks)
        }
        self.home = _home_pages(docs, site, [d for d in documents if d.document.path.is_relative_to(docs)])
        self.majors: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def counts(self) -> Counts:
        return Counts(
            self.statuses["run"], self.statuses["illustration"], tuple(sorted(self.reasons.items()))
        )

    def blocks(self) -> Iterator[Finding]:
        """Problems of blocks: unknown, disguised, unproven, lost."""
        for page in self.built:
            sources = self._sources(page)
            waiting = [entry for item in sources for entry in _entries(item)]
            above: Block | None = None  # the last cell or illustration
            for block in page.blocks:
                if block.sent:
                    yield from _sent(page, block, sources)
                    continue
                known = any(_same(entry, block) for entry in waiting)
                yield from self._block(page, block, waiting, sources)
                if not known and above is not None and above.section == block.section:
                    yield from _uncompared(page, block, sources)
                above = block if known else above
            for entry in waiting:
                message = f"this block is not on the built page {page.path}: {_start(entry.text)}"
                fix = "mend the Markdown above it; the header must be that of a cell"
                yield _problem(message, path=entry.item.name, line=entry.line, next_step=fix)
        for name in sorted(set(self.home) - {page.path for page in self.built}):
            for entry in _entries(self.home[name]):
                message = f"this block is published nowhere: {name} was not built"
                yield _problem(message, path=entry.item.name, line=entry.line, next_step="build the page")

    def _sources(self, page: Page) -> list[Published]:
        own = [self.home[page.path]] if page.path in self.home else []
        return own + [self.runbooks[name] for name in page.runbooks if name in self.runbooks]

    def _block(
        self, page: Page, block: Block, waiting: list[_Entry], sources: list[Published]
    ) -> Iterator[Finding]:
        position = next((i for i, entry in enumerate(waiting) if _same(entry, block)), None)
        if position is None:
            languages = LANGUAGES if any(item.document.front.bash for item in sources) else ALWAYS
            looks = not block.shown and taken_for(block.language, block.text)
            if (block.language in languages or looks) and block.text not in _compared(sources):
                yield _never_ran(page, block, sources)
            return
        entry = waiting.pop(position)
        self.statuses[entry.status] += 1
        self.majors.update(entry.majors)
        if entry.status == "skipped":
            self.reasons[entry.reason] += 1
        elif entry.status not in ("run", "illustration"):
            what = "failed in its last run" if entry.status == "failed" else "has no green run of this text"
            fix = f"execute it: pgrehearse test {entry.item.name}"
            message = f"published, but it {what}: {_start(entry.text)}"
            yield _problem(message, path=entry.item.name, line=entry.line, next_step=fix)

    def embeddings(self) -> Iterator[Finding]:
        """Runbooks that stand on no page, on two, or twice on one."""
        embedded = Counter(name for page in self.built for name in page.runbooks)
        for name, item in self.runbooks.items():
            if embedded[name] == 1:
                continue
            where = ", ".join(page.path for page in self.built if name in page.runbooks)
            message = f"embedded {embedded[name]} times: {where}" if where else "no page embeds this runbook"
            fix = f'write [[= runbook("{name}") =]] on exactly one page'
            yield _problem(message, path=item.name, next_step=fix)
        for name in sorted(set(embedded) - set(self.runbooks)):
            message = f"a page embeds runbook {name!r}, which does not exist"
            yield _problem(message, path=self.project.runbooks / f"{name}.md", next_step="build again")

    def totals(self) -> Iterator[Finding]:
        """Pages that print another number of blocks than there is."""
        total = self.counts().blocks
        for page in self.built:
            for printed in page.totals:
                if printed != total:
                    message = f"prints {printed} blocks, but the site has {total}"
                    yield _problem(message, path=page.path, next_step="build again after the last run")


def _home_pages(docs: Path, site: Path, documents: list[Published]) -> dict[str, Published]:
    """Built page -> the document it is made of, for both ways MkDocs names its files."""
    found = {}
    for item in documents:
        names = pages.built_names(item.document.path.relative_to(docs).as_posix())
        found[next((name for name in names if (site / name).is_file()), names[0])] = item
    return found


def _entries(item: Published) -> list[_Entry]:
    cells = [
        _Entry(item, s.cell.language, normal(s.cell.source), s.cell.line, s.status, s.reason, s.majors)
        for s in item.states
    ]
    shown = [
        _Entry(item, i.language, normal(i.source), i.line, "illustration")
        for i in item.document.illustrations
    ]
    return sorted([*cells, *shown], key=lambda entry: entry.line)


def _uncompared(page: Page, block: Block, sources: list[Published]) -> Iterator[Finding]:
    """What looks like a cell's output and came there by an inclusion or a macro, so that no linter saw it."""
    if block.shown or not looks_printed(block.language) or block.text in _compared(sources):
        return
    path, line = _place(block, sources)
    yield _problem(
        f"looks like the output of the cell above, but was not compared: {_start(block.text)}",
        path=path or page.path,
        line=line or block.line,
        next_step="write it as a ```text fence right below the cell, or below a heading of its own",
    )


def _sent(page: Page, block: Block, sources: list[Published]) -> Iterator[Finding]:
    """What a page says was sent, and no record of a cell of the page has."""
    texts = {normal(as_sent(state)) for item in sources for state in item.states}
    if block.text not in texts:
        yield _problem(
            f"shown as what was sent, but nothing sent this: {_start(block.text)}",
            path=page.path,
            line=block.line,
            next_step="leave the mark data-run-sent to the site; build again",
        )


def _compared(sources: list[Published]) -> set[str]:
    """The expected outputs of these documents: what reads like a statement in them was printed by one."""
    cells = (cell for item in sources for cell in item.document.cells)
    return {normal(one.text) for cell in cells if cell.expected for one in cell.expected.all()}


def _same(entry: _Entry, block: Block) -> bool:
    return entry.text == block.text and block.language in (entry.language, "")


def _never_ran(page: Page, block: Block, sources: list[Published]) -> Finding:
    start = _start(block.text)
    path, line = _place(block, sources)
    if block.language not in LANGUAGES:
        return _problem(
            f"published as {block.language or 'a block'}, which nothing executes: {start}",
            path=path or page.path,
            line=line or block.line,
            next_step="write ```sql, ```python or ```bash, or ```text for what is only read",
        )
    return _problem(
        f"published, but no cell of this page ran with this text: {start}",
        path=path or page.path,
        line=line or block.line,
        next_step='make it a cell at column 0, or mark it ```{.sql .noeval title="the reason"}',
    )


def _place(block: Block, sources: list[Published]) -> tuple[str | None, int | None]:
    """Where the first line of a block stands in the documents of its page."""
    first = block.text.split("\n")[0].strip()
    for item in sources:
        for number, line in enumerate(item.document.text.split("\n"), 1):
            if first and line.strip() == first:
                return item.name, number
    return None, None


def _start(text: str) -> str:
    first = text.split("\n")[0].strip()
    return repr(first if len(first) <= 60 else first[:57] + "...")


def _loads(project: Project, site: Path, built: list[Page]) -> Iterator[Finding]:
    fix = "put the file into the site, or leave it out: pages load nothing from other hosts"
    for page in built:
        for what, url, line in page.loads:
            yield _problem(f"loads {url} ({what})", path=page.path, line=line, next_step=fix)
    for path in sorted(site.rglob("*.css")):
        for url in pages.style_loads(path.read_text(encoding="utf-8")):
            yield _problem(f"loads {url}", path=path.relative_to(site), next_step=fix)
    for path in sorted(site.rglob("*.js")):
        # The theme's own scripts name hosts they only ask for what the pages were checked for above.
        if not path.is_relative_to(site / "assets" / "javascripts"):
            for match in _SCRIPT_LOAD.finditer(path.read_text(encoding="utf-8")):
                yield _problem(f"loads {match[1]}", path=path.relative_to(site), next_step=fix)


def _places(built: Iterable[Page]) -> Iterator[Finding]:
    for page, href, line in pages.missing_places(built):
        fix = "the macro that wrote this link and the page disagree; mend the heading, or build again"
        yield _problem(
            f"links to {href}, a place that does not exist", path=page.path, line=line, next_step=fix
        )


def _downloads(site: Path, built: Iterable[Page]) -> Iterator[Finding]:
    for page in built:
        for target, href, line in pages.offered(site, page):
            if not target.is_file():
                message = f"offers {href}, which does not exist"
                fix = "export the runbooks into the site after the build"
                yield _problem(message, path=page.path, line=line, next_step=fix)


def _problem(
    message: str, *, path: Path | str | None = None, line: int | None = None, next_step: str
) -> Finding:
    return Finding(message, Path(path) if path else None, line or 0, kind="site", next_step=next_step)
