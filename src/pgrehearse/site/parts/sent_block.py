"""The block of what a step sent, with marks where a reader's own values go."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

from markupsafe import Markup

from pgrehearse.markup import trusted
from pgrehearse.site.content.published import CellState, Published
from pgrehearse.site.markup import render
from pgrehearse.site.parts.sent import as_sent
from pgrehearse.site.parts.slots import Followed, Slot, follow
from pgrehearse.text.document import Cell
from pgrehearse.text.variables import used

__all__ = ["sent_block"]

#: How statements are highlighted, with attributes of the block.
Highlighted = Callable[[str, dict[str, str]], Markup]


def sent_block(item: Published, state: CellState, highlighted: Highlighted) -> Markup:
    """What ``state`` sent, highlighted; empty where nothing is to be shown beside the cell itself."""
    text = as_sent(state)
    if not text:
        return Markup()
    found = follow(text, item.document, [*_helpers(item, state), state.cell])
    slots = [part for part in found.parts if isinstance(part, Slot)]
    # A word of its own stands for each slot while the rest gets its colors.
    mark = next(mark for n in itertools.count() if (mark := f"runslot{n}x") not in text)
    numbers = itertools.count()
    marked = "".join(part if isinstance(part, str) else f"{mark}{next(numbers)}x" for part in found.parts)
    html = str(highlighted(marked, _attributes(found)))
    for number, slot in enumerate(slots):
        pieces = json.dumps(slot.pieces, ensure_ascii=False)
        html = html.replace(f"{mark}{number}x", str(render("slot", slot=slot, pieces=pieces)), 1)
    return trusted(html)


def _attributes(found: Followed) -> dict[str, str]:
    """What the script has to know of the block besides its slots."""
    return (
        {"data-run-sent": "true"}
        | ({} if found.sure else {"data-run-unsure": "true"})
        | ({"data-run-decides": " ".join(found.decides)} if found.decides else {})
        | ({"data-run-indexed": "true"} if found.indexed else {})
    )


def _helpers(item: Published, state: CellState) -> list[Cell]:
    """The cells of the phase above it that only make what its query looks at."""
    return [
        one.cell
        for one in item.states
        if one.cell.phase == state.cell.phase
        and one.cell.line < state.cell.line
        and one.cell.language == "sql"
        and used(one.cell.source)
        and not as_sent(one)
    ]
