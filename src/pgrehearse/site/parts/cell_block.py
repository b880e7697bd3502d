"""A block on a page with what stands around it: what it is above, what it did below."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from pgrehearse.majors import PREVIEW
from pgrehearse.measurement.review import stale_preview
from pgrehearse.site.content.published import CellState, Published
from pgrehearse.site.markup import render
from pgrehearse.site.parts.fact_lines import anchor, fact_lines
from pgrehearse.site.parts.sent import Fold, fold, said_first
from pgrehearse.site.parts.sent_block import sent_block
from pgrehearse.site.parts.sqlstate import condition_name
from pgrehearse.text.options import CellOptions

__all__ = ["Found", "executed", "illustration", "lane"]

#: A cell of the page and its document; None for a text that is no cell there.
Found = tuple[Published, CellState] | None

#: Lines from which a snippet is folded.
_FOLD_FROM = 12
#: How the title of a block begins that something else than a build executed.
_ELSEWHERE = re.compile(r"(?:Executed by|What .+ sent, by)\b|Recorded:")


@dataclass(frozen=True)
class _Chip:
    kind: str
    text: str
    lane: str = ""


def lane(found: Found) -> str:
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


def executed(
    cell: CellOptions,
    language: str,
    source: str,
    found: Found,
    block: Markup,
    highlighted: Callable[[str, dict[str, str]], Markup],
) -> Markup:
    """HTML of a cell: chips, what it sent, the ``block`` itself, what was measured, how it failed.

    ``highlighted``: how statements are written, with attributes of the block.
    """
    return render(
        "cell_block",
        anchor=_anchor(found),
        chips=_chips(cell, language, found),
        sent=sent_block(*found, highlighted) if found else "",
        fold=(fold(found[1]) if found else None) or _question(cell, source),
        block=block,
        facts=_facts(found),
        failure=found[1].failure if found else None,
        failed_at=_failed_at(found),
    )


def illustration(block: Markup, title: str = "") -> Markup:
    """HTML of a block that no build executes: marked so, unless its ``title`` says where it was executed."""
    return render("cell_block_illustration", block=block, marked=not _ELSEWHERE.match(title))


def _chips(cell: CellOptions, language: str, found: Found) -> list[_Chip]:
    """Session, whom it waits for, the error it expects, versions, why it was skipped."""
    number = lane(found)
    chips: list[_Chip] = []
    if language == "sql" and (number or cell.session != "main"):
        chips.append(_Chip("session", f"session {cell.session}", number))
    if cell.wait:
        chips.append(_Chip("wait", f"waits for {cell.wait}"))
    if cell.expect:
        chips.append(_Chip("expect", f"expects {cell.expect} {condition_name(cell.expect)}".strip()))
    if cell.exit:
        chips.append(_Chip("expect", f"exit status {cell.exit}"))
    if cell.needs and cell.until:
        only = f"{cell.needs} to {cell.until}" if cell.needs != cell.until else str(cell.needs)
        chips.append(_Chip("needs", f"PostgreSQL {only}"))
    elif cell.needs or cell.until:
        chips.append(
            _Chip("needs", f"PostgreSQL {cell.needs}+" if cell.needs else f"PostgreSQL up to {cell.until}")
        )
    if found and found[1].status == "skipped":
        chips.append(_Chip("skipped", f"skipped: {found[1].reason}{_recorded(*found)}"))
    return chips


def _recorded(item: Published, state: CellState) -> str:
    """Where the cell did run, if it is for a preview that no server here is."""
    needs = state.cell.options.needs
    if item.evidence is None or needs not in PREVIEW or stale_preview(item.document, item.evidence):
        return ""
    measured = item.evidence.measured.get(str(needs))
    return f"; ran on {measured.version}, recorded {measured.date}" if measured else ""


def _question(cell: CellOptions, source: str) -> Fold | None:
    """What a long snippet answers: it is folded behind that, the page is read for its result."""
    if cell.snippet is None or source.count("\n") <= _FOLD_FROM:
        return None
    return Fold(said_first(source) or cell.snippet, cell.snippet)


def _anchor(found: Found) -> str:
    """The block's id; only what was measured is linked to from elsewhere."""
    if found is None or not (evidence := found[0].evidence):
        return ""
    return anchor(found[1].cell) if evidence.of(found[1].cell) else ""


def _facts(found: Found) -> str:
    if found is None or found[0].evidence is None:
        return ""
    return fact_lines(found[0].evidence.of(found[1].cell))


def _failed_at(found: Found) -> str:
    if found is None or found[1].failure is None:
        return ""
    return f"{found[0].name}:{found[1].failure.message_line or found[1].failure.line}"
