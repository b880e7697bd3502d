"""A runbook's page: its commands mean to a shell what they show; it says what copying by hand loses."""

from __future__ import annotations

import subprocess

import pytest

from pgrehearse.site.content.embed import _quoted, as_page
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from support import ROOT


@pytest.mark.parametrize(
    "value", ["plain", "it's", "a\nb", "\x1b[31m", "back\\slash's \u202etab\t\x01f", "é\u2066"]
)
def test_a_value_reaches_the_command_as_it_is(value: str) -> None:
    shown = _quoted(value)
    assert not set("\x1b\x01\u202e\u2066") & set(shown)
    ran = subprocess.run(
        ["bash", "-c", f"printf %s {shown}"], capture_output=True, env={"LC_ALL": "C.UTF-8"}, check=True
    )
    assert ran.stdout.decode() == value


@pytest.mark.parametrize(
    ("name", "keeps"), [("index-create", True), ("key-bigint", True), ("index-repair", False)]
)
def test_who_copies_by_hand_is_told_what_is_lost(name: str, keeps: bool) -> None:
    project = Project.find(ROOT)
    homes = {path.stem: f"runbooks/{path.name}" for path in project.runbooks.glob("*.md")}
    document = load(project.runbooks / f"{name}.md")
    page = as_page(document, project, ROOT / "docs", f"runbooks/{name}.md", homes, own_title=False)
    after = page.partition("\n## Apply\n")[2].lstrip()
    assert after.startswith("Statements copied from here by hand keep no receipt") is keeps
    assert page.count("keep no receipt") == keeps
