"""Evidence that somebody edited is noticed by whatever reads it, and by the linter."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pgrehearse import sealed
from pgrehearse.errors import DocumentError
from pgrehearse.measurement.evidence import cells
from pgrehearse.measurement.evidence.cells import DocumentEvidence, LastMeasured
from pgrehearse.measurement.evidence.seals import edited
from support import ROOT
from support.projects import project_at

EVIDENCE = DocumentEvidence("docs/a.md", {"18": LastMeasured("18.6", "2026-01-01")})


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        ('"18.6"', '"18.7"'),
        (r'"date": "[^"]*"', '"date": "2027-01-01"'),
        (r'"cells": \[\]', '"cells": [{"cell": "abc", "statements": []}]'),
        (r',\n "seal": "\w+"', ""),
        (r'"seal": "\w+"', '"seal": "0"'),
        (r"\A\{", '{"document": "docs/a.md", '),
    ],
)
def test_an_edit_is_noticed(tmp_path: Path, pattern: str, new: str) -> None:
    project = project_at(tmp_path)
    file = cells.save(project.evidence, EVIDENCE)
    assert list(edited(project)) == []
    text, count = re.subn(pattern, new, file.read_text("utf-8"), count=1)
    assert count
    file.write_text(text, "utf-8")
    with pytest.raises(DocumentError, match=r"changed by hand|has no seal|cannot be read"):
        cells.load(project.evidence, "docs/a.md")
    (finding,) = edited(project)
    assert finding.path == file
    assert "with --refresh" in finding.next_step


def test_evidence_of_another_document_is_none(tmp_path: Path) -> None:
    cells.save(tmp_path, EVIDENCE).rename(tmp_path / "docs.b.json")
    with pytest.raises(DocumentError, match=r"is of docs/a\.md"):
        cells.load(tmp_path, "docs/b.md")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 100_000, '{"a": NaN, "a": 1}', ""])
def test_json_that_is_made_to_break(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(text, "utf-8")
    with pytest.raises(sealed.Broken, match="cannot be read"):
        sealed.read(file)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    with file.open("wb") as out:
        out.truncate(70_000_000)
    with pytest.raises(sealed.Broken, match="more than 64,000,000 bytes"):
        sealed.read(file)


def test_a_layout_of_one_s_own_is_no_edit(tmp_path: Path) -> None:
    file = sealed.write(tmp_path / "x.json", {"b": [1, 2], "a": "é"})
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")), sort_keys=True), "utf-8")
    assert sealed.read(file) == {"a": "é", "b": [1, 2]}


def test_the_evidence_of_this_repository_is_as_it_was_measured() -> None:
    assert not [file for file in (ROOT / "evidence").rglob("*.json") if not sealed.read(file)]
