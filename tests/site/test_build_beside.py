"""``pgrehearse build``: the site that was there stays until the new one has been checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pgrehearse.errors import DocumentError
from pgrehearse.publish import build
from support.tiny import Tiny


def run(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.root)
    CliRunner().invoke(build, ["--records"], catch_exceptions=False, standalone_mode=False)


def state(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.html")}


def test_a_refused_build_leaves_the_good_pages(built: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(built.site)
    built.replace("docs/guide.md", "# Guide\n", "# Guide\n\n<pre>DROP TABLE items;</pre>\n")
    built.record()
    with pytest.raises(DocumentError, match="DROP TABLE items"):
        run(built, monkeypatch)
    assert state(built.site) == before
    assert [path.name for path in built.root.glob(".site*")] == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("docs/guide.md", "SELECT uuidv7();", "SELECT uuidv4();", "changed since it was last executed"),
        ("pyproject.toml", "", '[tool.pgrehearse]\nseed = "other.sql"\n', "was executed with other"),
    ],
)
def test_an_unproven_page_leaves_the_good_ones(
    built: Tiny, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str, said: str
) -> None:
    before = state(built.site)
    if old:
        built.replace(name, old, new)
    else:
        built.write(name, new)
    with pytest.raises(DocumentError, match=said):
        run(built, monkeypatch)
    assert state(built.site) == before


def test_a_green_build_takes_the_place(built: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    (built.site / "old.html").write_text("old", "utf-8")
    built.replace("docs/guide.md", "# Guide\n", "# Guide\n\nMore.\n")
    built.record()
    run(built, monkeypatch)
    assert "More." in built.html("guide/index.html")
    assert not (built.site / "old.html").exists()
