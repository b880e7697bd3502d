"""Whatever the linter accepts is the same as Markdown, as notebook and as published page.

Documents are made at random from pieces that once broke one of the three, then given to the linter. What it
refuses is not looked at, so a failure here means: the linter must refuse more.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jupytext
import markdown
import pytest
import yaml
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from pgrehearse.site import fences
from pgrehearse.text import lint
from pgrehearse.text.document import Document, parse
from pgrehearse.text.options import ALWAYS

#: Many pieces together are no document; those are thrown away.
PATIENT = settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])

FRONT = """\
---
title: "A title: with a colon"
jupyter:
  jupytext: {main_language: python}
parameters:
  label: {description: What to add, example: it's}
---

"""

#: Pieces that once broke one of the three, or might.
PIECES: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("roundtrip_pieces.json").read_text("utf-8")
)
LAST = "```sql\nSELECT :'label';\n```\n"

OPTIONS = [
    ("expect", "55P03"),
    ("name", "a-name"),
    ("needs", "17"),
    ("session", "app"),
    ("timeout", "5s"),
    ("until", "18"),
]


def body(pieces: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces), min_size=1, max_size=5).map("".join)


def accepted_alone(block: str) -> bool:
    return not lint.check(parse(f"{FRONT}{block}\n\n{LAST}", Path("page.md")))


@st.composite
def cells(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        keys = draw(st.lists(st.sampled_from(OPTIONS), unique=True, max_size=3).map(sorted))
        header = "".join(f' {key}="{value}"' for key, value in keys)
        return f"```sql{header}\n{draw(body(PIECES['sql']))}\n```"
    return f"```python\n{draw(body(PIECES['python']))}\n```"


GAPS = st.sampled_from(["\n", "\n\n", "\n\n", "\n\n", "\n\n\n", "\n\n\n\n", "\n \n"])
TEXTS = [text for text in (*PIECES["prose"], *PIECES["blocks"]) if accepted_alone(text)]
BLOCKS = st.one_of(cells().filter(accepted_alone), st.sampled_from(TEXTS), st.sampled_from(PIECES["prose"]))


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts = [FRONT]
    for block in draw(st.lists(BLOCKS, min_size=1, max_size=6)):
        parts += [block, draw(GAPS)]
    return "".join(parts) + LAST


def accepted(text: str) -> Document:
    document = parse(text, Path("page.md"))
    assume(not lint.check(document))
    event(f"{len(document.cells)} cells")
    return document


def through_a_file(text: str) -> tuple[Any, str]:
    """The notebook of ``text`` after it was an .ipynb file, and the Markdown jupytext makes of it."""
    notebook = jupytext.reads(jupytext.writes(jupytext.reads(text, "md"), "ipynb"), "ipynb")
    return notebook, jupytext.writes(notebook, "md")


def split_front(text: str) -> tuple[Any, str]:
    _, front, rest = text.split("---\n", 2)
    data = yaml.safe_load(front)
    data["jupyter"]["jupytext"].pop("text_representation", None)
    return data, rest


class CodeBlocks(HTMLParser):
    """The text of every ``pre`` with ``code`` in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.blocks: list[str] = []
        self.depth = 0
        self.pre = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pre = self.pre or tag == "pre"
        if tag == "code" and self.pre:
            self.depth += 1
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        self.pre = self.pre and tag != "pre"
        if tag == "code" and self.depth:
            self.depth -= 1

    def handle_data(self, data: str) -> None:
        if self.depth:
            self.blocks[-1] += data


def rendered(document: Document) -> list[str]:
    fence = {"validator": fences.validator, "format": fences.formatter}
    custom = [{"name": name, "class": name, **fence} for name in ALWAYS]
    text = document.text.split("\n", document.front.lines)[-1]
    html = markdown.markdown(
        text,
        extensions=[
            "admonition",
            "attr_list",
            "def_list",
            "footnotes",
            "md_in_html",
            "tables",
            "toc",
            "pymdownx.details",
            "pymdownx.highlight",
            "pymdownx.superfences",
            "pymdownx.tabbed",
        ],
        extension_configs={"pymdownx.superfences": {"custom_fences": custom}},
    )
    return CodeBlocks(html).blocks


def as_published(text: str) -> str:
    """What the issue allows to differ: tabs, lines of only blanks, blank lines around."""
    lines = [line.expandtabs(4) for line in text.split("\n")]
    return re.sub(r"(?m)^ +$", "", "\n".join(lines)).strip("\n")


def check_notebook(document: Document) -> None:
    notebook, back = through_a_file(document.text)
    assert split_front(back) == split_front(document.text)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    magic = {"sql": "%%sql\n", "python": ""}
    assert code == [magic[cell.language] + cell.source for cell in document.cells]


def check_page(document: Document) -> None:
    wanted = [as_published(fence.body) for fence in document.fences if fence.language in ALWAYS]
    blocks = [as_published(block) for block in rendered(document)]
    others = [fence for fence in document.fences if fence.language not in ALWAYS]
    for text in wanted:
        assert text in blocks, f"not published as it stands: {text!r} in {blocks}"
        blocks.remove(text)
    for fence in others:
        if not fence.indent:
            assert as_published(fence.body) in blocks, (
                f"not published as it stands: {fence.body!r} in {blocks}"
            )
            blocks.remove(as_published(fence.body))


@PATIENT
@given(documents())
def test_markdown_notebook_markdown(text: str) -> None:
    check_notebook(accepted(text))


@PATIENT
@given(documents())
def test_markdown_page_text(text: str) -> None:
    check_page(accepted(text))


def test_the_checks_see_a_loss() -> None:
    """Negative control: the two comparisons above turn red on documents the linter refuses."""
    lossy = {
        check_notebook: [
            "```sql\nSELECT '''a';\n```",
            "```code``` in a line",
            "```sql\nSELECT '\u2028';\n```",
        ],
        check_page: [
            "    text\n```sql\nSELECT 2;\n```",
            "<style>\n\n```sql\nSELECT 2;\n```",
            "```text foo\nx\n```",
        ],
    }
    for check, texts in lossy.items():
        for text in texts:
            document = parse(f"{FRONT}{text}\n\n{LAST}", Path("page.md"))
            assert lint.check(document), text
            with pytest.raises(AssertionError):
                check(document)
