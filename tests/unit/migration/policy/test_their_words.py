"""Advice about files of other tools: each text that names what only ours can do is chosen at one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pgrehearse.measurement
from pgrehearse.migration import policy

#: Marks and commands of ours, and what they are no advice to.
OURS = ("transaction:false", "db up", "dbmate", "psql set")
POLICY = Path(policy.__file__).parent
FILES = [*POLICY.glob("*.py"), Path(pgrehearse.measurement.__file__).parent / "advice.py"]


def said(text: str) -> list[str]:
    """The constants of a module that are no docstrings and name what is ours."""
    tree = ast.parse(text)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
        if any(word in node.value for word in OURS)
    ]


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name != "judged_file.py"], ids=lambda p: p.name
)
def test_no_check_says_by_itself_what_is_ours(path: Path) -> None:
    assert said(path.read_text("utf-8")) == []


def test_the_words_are_seen_where_they_stand() -> None:
    assert len(said((POLICY / "judged_file.py").read_text("utf-8"))) == 3
    assert said('X = f"a file {1} with transaction:false"\n') == [" with transaction:false"]
