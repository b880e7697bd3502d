"""Uses of the macro ``runbook`` in a page, as a build would meet them."""

from __future__ import annotations

import pytest

from pgrehearse.site.content.embed import Use, macro_uses

USE = '[[= runbook("a") =]]'


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("", []),
        (f"# x\n\n{USE}\n", [("a", 3, None)]),
        ("[[=runbook('a')=]]  \n[[= runbook( 'b' ) =]]", [("a", 1, None), ("b", 2, None)]),
        (f"text {USE}", [("a", 1, "must stand alone")]),
        (f" {USE}", [("a", 1, "must stand alone")]),
        (f"{USE} {USE}", [("a", 1, "must stand alone")] * 2),
        (f"```text\n{USE}\n```\n", [("a", 2, "stands in a block")]),
        (f"```text\n{USE}", [("a", 2, "stands in a block")]),
        (f"[[% raw %]]\n{USE}\n[[% endraw %]]\n{USE}", [("a", 4, None)]),
        (f"---\ntitle: x\nrender_macros: false\n---\n{USE}", []),
        (f"---\ntitle: x\n---\nrender_macros: false\n{USE}", [("a", 5, None)]),
        ("[[= other('a') =]]", []),
    ],
)
def test_uses(page: str, found: list[tuple[str, int, str | None]]) -> None:
    uses = macro_uses(page)
    assert [(use.name, use.line) for use in uses] == [(name, line) for name, line, _ in found]
    for use, (*_, problem) in zip(uses, found, strict=True):
        assert isinstance(use, Use)
        assert (use.problem is None) == (problem is None)
        assert problem is None or use.problem is None or problem in use.problem[0]
