"""The one fence of the site: ``sql``, ``python`` and ``bash`` blocks with the options of a cell.

Give both names to ``pymdownx.superfences`` as custom fences with this validator and formatter. A wrong
option stops the build; without this, superfences would quietly publish the block as a paragraph.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape
from pymdownx.superfences import RE_HL_LINES, RE_LINENUMS, SuperFencesException

from pgrehearse.errors import DocumentError
from pgrehearse.markup import trusted
from pgrehearse.site.built.block_text import normal
from pgrehearse.site.content.published import CellState, Published
from pgrehearse.site.markup import light
from pgrehearse.site.parts import cell_block
from pgrehearse.text.options import ALWAYS, LANGUAGES, CellOptions, parse_header

__all__ = ["PageBlocks", "formatter", "show_page", "validator"]

_STOCK = {"title": None, "hl_lines": RE_HL_LINES, "linenums": RE_LINENUMS}


class PageBlocks:
    """The cells of the page being rendered, handed out in the order in which they stand there."""

    def __init__(self, path: str, documents: list[Published]) -> None:
        self.path = path
        self.documents = documents
        self._waiting = [
            (item, state, normal(state.cell.source)) for item in documents for state in item.states
        ]

    def take(self, language: str, source: str) -> tuple[Published, CellState] | None:
        """The next cell with this text, or None for a text that is no cell of the page."""
        text = normal(source)
        for position, (item, state, known) in enumerate(self._waiting):
            if known == text and state.cell.language == language:
                del self._waiting[position]
                return item, state
        return None

    def executes(self, language: str) -> bool:
        """Whether blocks of ``language`` are cells on this page."""
        return language in ALWAYS or any(language in d.document.front.languages for d in self.documents)

    def line_of(self, *parts: str) -> tuple[str, int] | None:
        """Document and line of the first ``sql`` or ``python`` fence whose header holds all ``parts``."""
        for item in self.documents:
            for fence in item.document.fences:
                if fence.language in LANGUAGES and all(part in fence.info for part in parts):
                    return item.name, fence.line
        return None


_page = PageBlocks("", [])


def show_page(blocks: PageBlocks) -> None:
    """Say which page is rendered next. MkDocs renders one at a time and gives a fence no page."""
    global _page  # noqa: PLW0603 - superfences calls plain functions and passes nothing of the page
    _page = blocks


def validator(
    language: str, inputs: dict[str, str], options: dict[str, Any], attrs: dict[str, str], md: Any
) -> bool:
    """Take the options of a cell, or the stock ones of an illustration. Raises SuperFencesException."""
    del attrs  # superfences refuses the plain header form when anything is put there
    header = " ".join([language, *(f'{key}="{value}"' for key, value in inputs.items())])
    if "noeval" in md.preprocessors["fenced_code_block"].classes or not _page.executes(language):
        for key, value in inputs.items():
            if key not in _STOCK or ((form := _STOCK[key]) and not form.match(value)):
                known = ", ".join(_STOCK)
                option = f'{key}="{value}"'
                raise _refused(f"{option} on an illustration", f"known here: {known}", ".noeval", option)
            options[key] = value
        return True
    cell, problems = parse_header(header)
    if problems:
        raise _refused(problems[0].message, problems[0].next_step, header)
    options["_cell"] = cell
    return True


def _refused(message: str, fix: str, *header: str) -> SuperFencesException:
    place = _page.line_of(*header)
    path, line = place or (_page.path or None, None)
    error = DocumentError(message, path=path, line=line, next_step=fix)
    exception = SuperFencesException(str(error))
    exception.__cause__ = error  # the build hands on the original, with its place and next step
    return exception


def formatter(
    source: str, language: str, css_class: str, options: dict[str, Any], md: Any, **kwargs: Any
) -> str:
    """The highlighted text as HTML, with what stands around it."""
    del css_class

    def highlight(*arguments: Any, **settings: Any) -> str:
        return light(str(md.preprocessors["fenced_code_block"].highlight(*arguments, **settings)))

    cell = options.pop("_cell", None)
    if not _page.executes(language):  # bash to be read
        return highlight(source, language, options, md, **kwargs)
    if cell is None:
        kwargs["attrs"] = {"data-run-illustration": "true"}
        title = options.get("title", "")  # the highlighter takes it out
        block = trusted(highlight(source, language, options, md, **kwargs))
        return str(cell_block.illustration(block, title))
    found = _page.take(language, source)
    # The highlighter writes attributes as they are.
    kwargs["attrs"] = {
        key: str(escape(value)) for key, value in _attributes(cell, language, cell_block.lane(found)).items()
    }
    block = trusted(highlight(source, language, options, md, **kwargs))

    def highlighted(sql: str, attributes: dict[str, str]) -> Markup:
        safe = {key: str(escape(value)) for key, value in attributes.items()}
        return trusted(highlight(sql, language, {}, md, **{**kwargs, "attrs": safe}))

    return str(cell_block.executed(cell, language, source, found, block, highlighted))


def _attributes(cell: CellOptions, language: str, lane: str) -> dict[str, str]:
    values: dict[str, object] = {"language": language, "lane": lane}
    values |= {"expect": cell.expect, "wait": cell.wait, "needs": cell.needs, "until": cell.until}
    values["session"] = cell.session if language == "sql" else ""
    return {f"data-run-{key}": str(value) for key, value in values.items() if value}
