"""Majors: too old is refused, newer than tried is said, and so is what was tried before its release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pgrehearse import sealed
from pgrehearse.errors import SetupError
from pgrehearse.majors import PREVIEW, SUPPORTED, label, not_too_old, number, outlived, said
from support import ROOT


@pytest.mark.parametrize("major", [9, 13, 14])
def test_too_old_is_refused(major: int) -> None:
    with pytest.raises(SetupError, match=f"server at here is PostgreSQL {major}.2, which") as caught:
        not_too_old("here", major, f"{major}.2")
    assert caught.value.next_step == "use PostgreSQL 15 or later"


@pytest.mark.parametrize("major", [*SUPPORTED, 20])
def test_others_are_not(major: int) -> None:
    not_too_old("here", major, f"{major}.2")
    newer = ", newer than this release was tried with (15 to 19)" * (major == 20)
    assert said(f"{major}.2") == f"{major}.2{newer}"
    assert said(f"{major}rc1 (Debian {major}~rc1-1)").endswith(f"-1){newer}")


@pytest.mark.parametrize(("version", "major"), [("18.6", 18), ("19rc1", 19), ("20devel", 20), ("17", 17)])
def test_the_major_of_a_version(version: str, major: int) -> None:
    assert number(version) == major


@pytest.mark.parametrize(
    ("recorded", "version", "wrong"),
    [
        ("19rc1", "19.0", True),
        ("19beta2", "19.1 (Debian 19.1-1)", True),
        ("19rc1", "19rc1", False),
        ("19beta2", "19rc1", False),
        ("18.4", "18.6", False),
        ("18.6", "19rc1", False),
    ],
)
def test_evidence_of_a_preview_is_outlived_by_the_release(recorded: str, version: str, wrong: bool) -> None:
    said = [f"recorded on PostgreSQL {recorded}, before its release; {version} is here"]
    assert outlived(recorded, version) == (said if wrong else [])


#: Committed files, and their key for the majors that were measured.
MEASURED = {
    "docs.*": "measured",
    "runbooks.*": "measured",
    "rehearsals/*": "majors",
    "recordings/*": "majors",
}


def lacking(evidence: Path) -> list[str]:
    """Documents of whose statements, rehearsals or traffic nothing is known on a supported major."""
    return [
        f"{file.relative_to(evidence)}: nothing on PostgreSQL {major}"
        for pattern, key in MEASURED.items()
        for file in sorted(evidence.glob(f"{pattern}.json"))
        for major in sorted(set(map(str, SUPPORTED)) - set(sealed.read(file)[key]))
    ]


def test_every_document_with_evidence_has_some_of_each_major() -> None:
    """Else its page shows the facts of the others to who chose that one. Where no server of a preview is:
    `tools/debian_programs.py postgresql-19` brings one, then `pgrehearse measure --refresh --pg 19 FILE`."""
    assert lacking(ROOT / "evidence") == []


def test_a_document_that_was_not_measured_on_a_major_is_named(tmp_path: Path) -> None:
    every: dict[str, Any] = {str(major): {} for major in SUPPORTED}
    part = [(pattern.replace("*", "part.json"), key) for pattern, key in MEASURED.items()]
    for folder in "rehearsals", "recordings":
        (tmp_path / folder).mkdir()
    for name, key in part:
        sealed.write(tmp_path / name, {key: every | {"20": {}}})
        sealed.write(tmp_path / name.replace("part", "whole"), {key: every})
    assert lacking(tmp_path) == []
    for name, key in part:
        sealed.write(tmp_path / name, {key: {major: {} for major in every if major not in ("15", "19")}})
    assert lacking(tmp_path) == [
        f"{name}: nothing on PostgreSQL {major}" for name, _ in part for major in ("15", "19")
    ]


#: What pages say of their blocks: they ran on released majors, and on a preview.
SAID = re.compile(r"\b(?:ran|run) on PostgreSQL \d+ to \d+ and (\d+(?:beta|rc)\d+)\b")


def unproven(pages: Mapping[str, str], majors: Mapping[str, Any]) -> list[str]:
    """Of ``pages``, by name, those that say they ran on a preview and did not, as ``majors`` has it."""
    ran = {found["version"]: found["documents"] for found in majors.values()}
    return [
        f"{name}: {version}"
        for name, text in pages.items()
        for version in SAID.findall(text)
        if version not in PREVIEW.values() or not ran.get(version, {}).get(name, {}).get("passed")
    ]


def test_a_page_that_says_it_ran_on_a_preview_did() -> None:
    """Red, too, when the preview has ended: then the sentence names the release."""
    pages = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in ROOT.glob("docs/**/*.md")}
    assert sum(bool(SAID.search(text)) for text in pages.values()) >= 10
    assert unproven(pages, sealed.read(ROOT / "evidence" / "documents.json")["majors"]) == []


def test_one_that_did_not_is_named() -> None:
    version = next(iter(PREVIEW.values()))
    says = f"Every block below ran on PostgreSQL 15 to 18 and {version}, in this order."
    majors = {"19": {"version": version, "documents": {"a.md": {"passed": 3}, "b.md": {"passed": 0}}}}
    assert unproven({"a.md": says, "d.md": "It ran on PostgreSQL 15 to 18."}, majors) == []
    assert unproven({"b.md": says, "c.md": says}, majors) == [f"b.md: {version}", f"c.md: {version}"]
    assert unproven({"a.md": says.replace(version, "20beta1")}, majors) == ["a.md: 20beta1"]


def test_what_was_measured_on_a_preview_is_called_so_and_nothing_else_is() -> None:
    """The label on the pages is the version that stands in evidence/; a release there ends the preview."""
    found: dict[int, set[str]] = {}
    for file in (ROOT / "evidence").glob("docs.*.json"):
        for major, measured in sealed.read(file)["measured"].items():
            found.setdefault(int(major), set()).add(measured["version"])
    for file in (ROOT / "evidence").glob("runbooks.*.json"):
        for major, measured in sealed.read(file)["measured"].items():
            found.setdefault(int(major), set()).add(measured["version"])
    for folder in ("rehearsals", "recordings"):
        for file in (ROOT / "evidence" / folder).glob("*.json"):
            for major, entry in sealed.read(file)["majors"].items():
                found.setdefault(int(major), set()).add(entry["version"])
    for major, entry in sealed.read(ROOT / "evidence" / "documents.json")["majors"].items():
        found.setdefault(int(major), set()).add(entry["version"])
    for name, key in (("zoo", "versions"), ("poolers", "postgresql")):
        for major, version in sealed.read(ROOT / "evidence" / f"{name}.json")[key].items():
            found.setdefault(int(major), set()).add(version)
    assert set(found) <= set(SUPPORTED)
    for major, versions in found.items():
        if major in PREVIEW:
            assert versions == {label(major)}, f"measure all of it on one version, or end PREVIEW[{major}]"
        else:
            assert all(version.startswith(f"{major}.") for version in versions)
