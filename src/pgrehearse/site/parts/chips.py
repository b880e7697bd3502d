"""What stands around a block: chips that say what it is above, what it did below."""

from __future__ import annotations

from html import escape

from pgrehearse.site.content.published import CellState, Published
from pgrehearse.site.parts.fact_lines import anchor, fact_lines
from pgrehearse.site.parts.sqlstate import condition_name
from pgrehearse.text.options import CellOptions

__all__ = ["Found", "above", "anchor_of", "below", "illustration", "lane"]

#: A cell of the page and its document; None for a text that is no cell there.
Found = tuple[Published, CellState] | None


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


def above(cell: CellOptions, language: str, found: Found) -> str:
    """HTML of the chips: session, whom it waits for, the error it expects, versions, why it was skipped."""
    number = lane(found)
    return _chips(_labels(cell, language, number, found), number)


def illustration() -> str:
    """HTML of the chip of a block that is only shown."""
    return _chips([("illustration", "not executed")])


def _labels(cell: CellOptions, language: str, lane: str, found: Found) -> list[tuple[str, str]]:
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


def below(found: Found) -> str:
    """HTML: the statements it generated, what was measured, and how its last run failed."""
    return _generated(found) + _facts(found) + _failure(found)


def anchor_of(found: Found) -> str:
    """Only what was measured is linked to from elsewhere."""
    if found is None or not (evidence := found[0].evidence):
        return ""
    cells = found[0].document.cells
    return f' id="{anchor(found[1].cell, cells)}"' if evidence.of(found[1].cell, cells) else ""


def _generated(found: Found) -> str:
    """The statements a \\gexec sent in the rehearsal: what the reader would have typed."""
    if found is None or not found[1].generated:
        return ""
    statements = escape(";\n".join(found[1].generated) + ";")
    return (
        '<div class="run-generated" data-search-exclude><p>Sent in the rehearsal:</p>'
        f"<pre>{statements}</pre></div>"
    )


def _facts(found: Found) -> str:
    if found is None or found[0].evidence is None:
        return ""
    return fact_lines(found[0].evidence.of(found[1].cell, found[0].document.cells))


def _failure(found: Found) -> str:
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
