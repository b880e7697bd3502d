"""The one fence of the site: ``sql``, ``python`` and ``bash`` blocks with the options of a cell.

Give both names to ``pymdownx.superfences`` as custom fences with this validator and formatter. A wrong
option stops the build; without this, superfences would quietly publish the block as a paragraph.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from psycopg import errors as sqlstates
from pymdownx.superfences import RE_HL_LINES, RE_LINENUMS, SuperFencesException

from pgrehearse.errors import DocumentError
from pgrehearse.site.blocks import normal
from pgrehearse.site.facts import fact_lines
from pgrehearse.site.published import CellState, Published
from pgrehearse.text.options import LANGUAGES, CellOptions, parse_header

__all__ = ["PageBlocks", "formatter", "show_page", "validator"]

#: Lines from which a snippet is folded.
_FOLD_FROM = 12

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
    if "noeval" in md.preprocessors["fenced_code_block"].classes:
        for key, value in inputs.items():
            if key not in _STOCK or ((form := _STOCK[key]) and not form.match(value)):
                known = ", ".join(_STOCK)
                option = f'{key}="{value}"'
                raise _refused(f"{option} on an illustration", f"known here: {known}", ".noeval", option)
            options[key] = value
        return True
    cell, problems = parse_header(header)
    if problems:
        raise _refused(problems[0].message, problems[0].fix, header)
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
    """The block as HTML: chips above, the highlighted text, and what went wrong in the last run below."""
    del css_class
    highlight = md.preprocessors["fenced_code_block"].highlight
    cell = options.pop("_cell", None)
    if cell is None:
        kwargs["attrs"] = {"data-run-illustration": "true"}
        block = highlight(source, language, options, md, **kwargs)
        chips = _chips([("illustration", "not executed")])
        return f'<div class="run-block run-illustration">{chips}{block}</div>'
    found = _page.take(language, source)
    attributes = _attributes(cell, language, _lane(found))
    kwargs["attrs"] = {key: escape(value, quote=True) for key, value in attributes.items()}
    block = _folded(cell, source, highlight(source, language, options, md, **kwargs))
    chips = _chips(_labels(cell, language, _lane(found), found), _lane(found))
    return f'<div class="run-block">{chips}{block}{_generated(found)}{_facts(found)}{_failure(found)}</div>'


def _folded(cell: CellOptions, source: str, block: str) -> str:
    """A long snippet behind the question it answers: the page is read for its result."""
    first, _, rest = source.partition("\n")
    if cell.snippet is None or rest.count("\n") < _FOLD_FROM:
        return block
    question = first.lstrip("-# ").strip() or cell.snippet
    summary = f"<summary>{escape(question)} <code>{escape(cell.snippet)}</code></summary>"
    return f'<details class="run-snippet">{summary}{block}</details>'


def _lane(found: tuple[Published, CellState] | None) -> str:
    """Number of the cell's session, 0 for main; empty where its section of the page has only main."""
    if found is None or found[1].cell.language != "sql":
        return ""
    document, cell = found[0].document, found[1].cell
    starts = [0, *(heading.line for heading in document.headings)]
    section = max(line for line in starts if line < cell.line)
    end = min((line for line in starts if line > cell.line), default=len(document.text) + 1)
    here = [
        other.options.session
        for other in document.cells
        if other.language == "sql" and section < other.line < end
    ]
    others = list(dict.fromkeys(session for session in here if session != "main"))
    session = cell.options.session
    if not others:
        return ""
    return str(0 if session == "main" else others.index(session) % 3 + 1)


def _attributes(cell: CellOptions, language: str, lane: str) -> dict[str, str]:
    values: dict[str, object] = {"language": language, "lane": lane}
    values |= {"expect": cell.expect, "wait": cell.wait, "needs": cell.needs, "until": cell.until}
    values["session"] = cell.session if language == "sql" else ""
    return {f"data-run-{key}": str(value) for key, value in values.items() if value}


def _labels(
    cell: CellOptions, language: str, lane: str, found: tuple[Published, CellState] | None
) -> list[tuple[str, str]]:
    labels: list[tuple[str, str]] = []
    if language == "sql" and (lane or cell.session != "main"):
        labels.append(("session", f"session {cell.session}"))
    if cell.wait:
        labels.append(("wait", f"waits for {cell.wait}"))
    if cell.expect:
        labels.append(("expect", f"expects {cell.expect} {condition_name(cell.expect)}".strip()))
    if cell.exit:
        labels.append(("expect", f"exit status {cell.exit}"))
    if cell.needs and cell.until:
        labels.append(("needs", f"PostgreSQL {cell.needs} to {cell.until}"))
    elif cell.needs or cell.until:
        labels.append(
            ("needs", f"PostgreSQL {cell.needs}+" if cell.needs else f"PostgreSQL up to {cell.until}")
        )
    if found and found[1].status == "skipped":
        labels.append(("skipped", f"skipped: {found[1].reason}"))
    return labels


def condition_name(sqlstate: str) -> str:
    """PostgreSQL's name of an SQLSTATE such as ``lock_not_available``; empty when it has none."""
    try:
        name = sqlstates.lookup(sqlstate).__name__
    except KeyError:
        return ""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _chips(labels: list[tuple[str, str]], lane: str = "") -> str:
    # Elements, not content: attr() in the style sheet: a block has two pseudo-elements and up to four chips,
    # and a reader can select and hear an element.
    if not labels:
        return ""
    colors = f' data-run-lane="{lane}"' if lane else ""
    items = "".join(
        f'<span class="run-chip run-{kind}"{colors if kind == "session" else ""}>{escape(text)}</span>'
        for kind, text in labels
    )
    return f'<div class="run-chips" data-search-exclude>{items}</div>'


def _generated(found: tuple[Published, CellState] | None) -> str:
    """The statements a \\gexec sent in the rehearsal: what the reader would have typed."""
    if found is None or not found[1].generated:
        return ""
    statements = escape(";\n".join(found[1].generated) + ";")
    return (
        '<div class="run-generated" data-search-exclude><p>Sent in the rehearsal:</p>'
        f"<pre>{statements}</pre></div>"
    )


def _facts(found: tuple[Published, CellState] | None) -> str:
    if found is None or found[0].evidence is None:
        return ""
    return fact_lines(found[0].evidence.of(found[1].cell, found[0].document.cells))


def _failure(found: tuple[Published, CellState] | None) -> str:
    if found is None or found[1].failure is None:
        return ""
    failure = found[1].failure
    place = f"{found[0].name}:{failure.message_line or failure.line}"
    output = f"<pre>{escape(failure.output)}</pre>" if failure.output else ""
    return (
        '<div class="run-failure" role="alert" data-search-exclude>'
        f"<p><strong>Failed</strong> at <code>{escape(place)}</code></p>"
        f"<pre>{escape(failure.message)}</pre>{output}</div>"
    )
