"""Documents that are made to take memory or time: refused with their line, or read in time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence.cells import DocumentEvidence
from pgrehearse.measurement.review import stale_cells
from pgrehearse.text import lint
from pgrehearse.text.document import load, parse

PAGE = Path("docs/page.md")
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("front", "line", "message"),
    [
        (BOMB + "title: *i\n", 2, "an anchor or an alias"),
        ("title: x\nbase: &b {rows: 5}\ndatabase:\n  <<: *b\n", 3, "an anchor or an alias"),
        ("title: x\nundo: &u text\n", 3, "an anchor or an alias"),
        ("title: x\nbash: false\ntitle: y\n", 4, "the key 'title' twice"),
        ("parameters:\n  a: {description: d, example: e, example: f}\n", 3, "the key 'example' twice"),
        ("? [a, b]\n: c\n", 2, "a key that is no word"),
        ("title: " + "[" * 5000 + "]" * 5000 + "\n", 2, "nested more than 20 deep"),
        ("title: " + "{a: " * 5000 + "}" * 5000 + "\n", 2, "nested more than 20 deep"),
        ("title: " + "x" * 60_000 + "\n", 1, "more than 50,000 characters"),
        ("title: [unclosed\n", 2, "not YAML"),
    ],
)
def test_front_matter(front: str, line: int, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(f"---\n{front}---\n\n# x\n", PAGE)
    assert message in str(caught.value)
    assert caught.value.line == line
    assert caught.value.next_step


def test_a_document_of_many_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("# x\n" + "a line of text\n" * 300_000, "utf-8")
    with pytest.raises(DocumentError, match="a file of more than 4,000,000 bytes"):
        load(path)


@pytest.mark.parametrize(
    "line",
    [
        "-  " * 40 + "x",
        "> -  " * 30 + "x",
        "1.   " * 40 + "``",
        "- " * 5000 + "x",
        "#" + " " * 50_000 + "x #" * 1000,
    ],
)
def test_no_line_takes_long(line: str) -> None:
    started = time.process_time()
    lint.check(parse(f"# x\n\n{line}\n", PAGE))
    assert time.process_time() - started < 2


def test_three_thousand_cells() -> None:
    cells = "".join(
        f"## H {n}\n\n```sql\nCREATE TABLE t{n % 7} (a int);\n```\n\n```text\nCREATE TABLE\n```\n\n"
        for n in range(3_000)
    )
    started = time.process_time()
    document = parse(f"---\njupyter:\n  jupytext:\n    main_language: python\n---\n# x\n\n{cells}", PAGE)
    assert lint.check(document) == []
    assert len(stale_cells(document, DocumentEvidence("docs/page.md"))) == 3_000
    assert time.process_time() - started < 6
