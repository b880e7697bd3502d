"""Records of runs: one file a document, one entry a major, never half of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pgrehearse import sealed
from pgrehearse.errors import SetupError
from pgrehearse.execution.records import CellRecord, Run, forget, load, load_all, save, text_digest


def run(version: str = "18.1", status: str = "passed") -> Run:
    cell = CellRecord("abc", "sql", 3, status, 0.5, "é", 4, "out\nput")
    return Run(version, "2026-01-02", text_digest("text"), 1.5, (cell,))


def test_save_and_load(tmp_path: Path) -> None:
    assert load(tmp_path, "docs/a.md").runs == {}
    save(tmp_path, "docs/a.md", 18, run())
    save(tmp_path, "docs/a.md", 17, run("17.2", "failed"))
    save(tmp_path, "docs/a.md", 18, run("18.2"))
    found = load(tmp_path, "docs/a.md")
    assert found.document == "docs/a.md"
    assert {major: (r.version, r.green) for major, r in found.runs.items()} == {
        "17": ("17.2", False),
        "18": ("18.2", True),
    }
    assert [c.output for c in found.runs["18"].cells] == ["out\nput"]
    assert load_all(tmp_path) == {"docs/a.md": found}
    assert [p.suffix for p in tmp_path.iterdir() if not p.name.startswith(".")] == [".json"]


@pytest.mark.parametrize(
    "names",
    [("docs/a.b.md", "docs/a/b.md"), ("a/b.md", "a.b"), ("a%2Eb.md", "a.b.md"), ("/a/b.md", "a/b.md")],
)
def test_documents_do_not_share_a_file(tmp_path: Path, names: tuple[str, str]) -> None:
    for number, name in enumerate(names):
        save(tmp_path, name, 15 + number, run())
    assert sorted(load_all(tmp_path)) == sorted(names)
    assert [list(load(tmp_path, name).runs) for name in names] == [["15"], ["16"]]


@pytest.mark.parametrize("status", ["failed", "notrun"])
def test_only_passed_and_skipped_are_green(status: str) -> None:
    assert run().green
    assert run(status="skipped").green
    assert not run(status=status).green


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"document": 1}', '{"document": "a", "runs": [1]}',
             '{"document": "a", "runs": {"18": {}}}', '{"document": "a", "runs": {"18": {"cells": [0]}}}']
)  # fmt: skip
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    file = save(tmp_path, "docs/a.md", 18, run())
    file.write_text(text, "utf-8")
    with pytest.raises(SetupError, match=r"cannot be read|has no seal") as caught:
        load(tmp_path, "docs/a.md")
    assert caught.value.path == file
    with pytest.raises(SetupError):
        load_all(tmp_path)
    if text.startswith('{"'):
        sealed.write(file, json.loads(text))
        with pytest.raises(SetupError, match="cannot be read"):
            load(tmp_path, "docs/a.md")
    save(tmp_path, "docs/a.md", 18, run())
    assert load(tmp_path, "docs/a.md").runs == {"18": run()}, "running again mends it"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"passed"', '"skipped"'),
        ('"18.1"', '"18.2"'),
        ('"docs/a.md"', '"docs/b.md"'),
        ('"line": 3', '"line": 3,\n     "line": 4'),
    ],
)
def test_an_edited_record_is_none(tmp_path: Path, old: str, new: str) -> None:
    file = save(tmp_path, "docs/a.md", 18, run())
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(SetupError, match=r"changed by hand|cannot be read") as caught:
        load(tmp_path, "docs/a.md")
    assert caught.value.next_step == "delete it and run again"


def test_a_record_of_another_document_is_none(tmp_path: Path) -> None:
    save(tmp_path, "docs/a.md", 18, run()).rename(tmp_path / "docs.b.json")
    with pytest.raises(SetupError, match=r"is of docs/a\.md"):
        load(tmp_path, "docs/b.md")


def test_layout_is_no_change(tmp_path: Path) -> None:
    file = save(tmp_path, "docs/a.md", 18, run())
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")), sort_keys=True), "utf-8")
    assert load(tmp_path, "docs/a.md").runs == {"18": run()}


def test_a_forgotten_run_is_no_proof(tmp_path: Path) -> None:
    save(tmp_path, "docs/a.md", 17, run())
    save(tmp_path, "docs/a.md", 18, run())
    forget(tmp_path, "docs/a.md", 18)
    forget(tmp_path, "docs/b.md", 18)
    assert list(load(tmp_path, "docs/a.md").runs) == ["17"]


def test_digests_tell_texts_apart() -> None:
    assert text_digest("a") != text_digest("a ")
    assert len(text_digest("é")) == 16
