"""The benchmark of a reader's ways counts what is read: no folded words, no menus, the shortest way."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {
    "": (
        '<nav><a href="goal/">menu</a></nav>'
        '<article>one two <a href="far/">far</a> three <a href="near/">near</a></article>'
    ),
    "far/": "<article><a href='../goal/#x'>go</a></article>",
    "near/": "<article>four five <a href='../goal/'>go</a></article>",
    "goal/": (
        "<article><h1>six</h1><details><summary>seven</summary><p>folded the answer</p></details>"
        "<p hidden>hidden</p><pre><code>SELECT the\n answer</code></pre></article>"
    ),
}


def module() -> object:
    spec = importlib.util.spec_from_file_location("tasks", ROOT / "benchmarks" / "tasks.py")
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    __import__("sys").modules["tasks"] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, text in PAGES.items():
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "index.html").write_text(f"<html><body>{text}</body></html>", "utf-8")
    return tmp_path


def test_the_shortest_way_is_counted(site: Path) -> None:
    tasks = module()
    # two words to the link on the first page, none on the second, then: six seven SELECT the answer
    assert tasks.way(site, "goal/", "SELECT the answer") == (2, 7)  # type: ignore[attr-defined]


def test_what_is_folded_or_not_there_is_no_answer(site: Path) -> None:
    tasks = module()
    assert tasks.way(site, "goal/", "folded") is None  # type: ignore[attr-defined]
    assert tasks.way(site, "goal/", "hidden") is None  # type: ignore[attr-defined]
    assert tasks.way(site, "nowhere/", "SELECT") is None  # type: ignore[attr-defined]
