"""What waits for something that must come has time: a busy machine is no fault."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgrehearse.execution.executor import TIMEOUT
from pgrehearse.text.document import load

ROOT = Path(__file__).parents[2]
#: Seconds that each such wait has at least.
LEAST = 60
#: What waits, and which of its positional arguments is the limit, if one is.
_WAITS = {"communicate": None, "wait": 0, "join": 0, "wait_until": 2, "run": None, "call": None}
#: Waits that are meant to end in vain.
_IN_VAIN = {
    "pausing.join(1)": "shows that PAUSE waits",
    'wait_until(all_have_come, "all answers", 5)': "all is never asked for",
}


def _seconds(node: ast.expr | None) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    return None


def _limits(tree: ast.AST) -> Iterator[tuple[ast.expr, float]]:
    """Limits of waits that are written as numbers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.Compare) and "monotonic()" in ast.unparse(node):
            # An end, `monotonic() + 20`, or a claim about the time that passed, `monotonic() - began < 5`.
            how, rest = (
                (node.op, node.right) if isinstance(node, ast.BinOp) else (node.ops[-1], node.comparators[-1])
            )
            if isinstance(how, ast.Add | ast.Lt | ast.LtE) and (limit := _seconds(rest)) is not None:
                yield node, limit
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            of = node.func.value if isinstance(node.func, ast.Attribute) else None
            if isinstance(of, ast.Call) and ast.unparse(of.func) == "expect":  # Playwright's, 5 s unless told
                if not any(word.arg == "timeout" for word in node.keywords):
                    yield node, 5.0
                continue
            if name not in _WAITS:
                continue
            at = _WAITS[name]
            given = node.args[at] if at is not None and len(node.args) > at else None
            named = (word.value for word in node.keywords if word.arg in ("timeout", "limit"))
            if (limit := _seconds(next(named, given))) is not None:
                yield node, limit


def too_short(source: str) -> list[str]:
    """Waits of Python source that have less than a minute. A hundredth of a second is a pause of a loop."""
    found = [(ast.unparse(node).replace("'", '"'), limit) for node, limit in _limits(ast.parse(source))]
    return [text for text, limit in found if 0.05 < limit < LEAST and text not in _IN_VAIN]


@pytest.mark.parametrize(
    "source",
    [
        "process.communicate(timeout=30)",
        "process.communicate('', timeout=59.9)",
        "process.wait(30)",
        "thread.join(timeout=4)",
        "wait_until(there, 'it is there', 5)",
        "wait_until(there, 'it is there', limit=5)",
        "subprocess.run(['psql'], timeout=10)",
        "call(command, folder, limit=30)",
        "deadline = time.monotonic() + 30",
        "assert time.monotonic() - began < 7",
        "expect(page.locator('h1')).to_be_visible()",
    ],
)
def test_a_short_one_is_found(source: str) -> None:
    assert too_short(source), source


@pytest.mark.parametrize(
    "source",
    [
        "process.communicate(timeout=60)",
        "process.wait(LIMIT)",
        "expect(page.locator('h1')).to_be_visible(timeout=LIMIT * 1000)",
        "', '.join(parts)",
        "event.wait(0.01)",
        "deadline = time.monotonic() + limit",
        "assert time.monotonic() - began > 2",
        "began = time.monotonic() - 5 if late else 0",
    ],
)
def test_others_are_not(source: str) -> None:
    assert too_short(source) == [], source


def test_no_wait_of_tests_and_tools_is_short() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {text}"
        for folder in ("tests", "tools", "snippets")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != Path(__file__)
        for text in too_short(path.read_text("utf-8"))
    }
    assert found == set()


def test_no_wait_of_a_document_is_short_or_longer_than_its_cell() -> None:
    found = set()
    for path in sorted((ROOT / "docs").rglob("*.md")):
        for cell in load(path).cells:
            if cell.language != "python":
                continue
            longer = [
                ast.unparse(node)
                for statement in ast.parse(cell.source).body
                if not isinstance(statement, ast.FunctionDef | ast.ClassDef)  # called by cells with more time
                for node, limit in _limits(statement)
                if limit > (cell.options.timeout or TIMEOUT)
            ]
            found |= {f"{path.name}:{cell.line}: {text}" for text in [*too_short(cell.source), *longer]}
    assert found == set()


def test_a_cell_has_as_much() -> None:
    assert TIMEOUT >= LEAST
