"""A folder that is made anew is the old one or the new one at every moment, however its making ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pgrehearse import replacing
from pgrehearse.errors import SetupError
from pgrehearse.replacing import replaced
from support.projects import write
from support.waiting import wait_until

BUILDS = """
import sys, pathlib
from pgrehearse.replacing import replaced
target, word = pathlib.Path(sys.argv[1]), sys.argv[2]
with replaced(target, "index.html") as site:
    (site / "index.html").write_text(word)
    (site / "page.html").write_text(word)
    print("made", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write(tmp_path, "site/index.html", "old")
    write(tmp_path, "site/gone.html", "old")
    return tmp_path / "site"


def drafts(site: Path) -> list[str]:
    return [path.name for path in site.parent.iterdir() if path.name != site.name]


def builds(site: Path, word: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", BUILDS, str(site), word]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"made\n"
    return process


@pytest.mark.parametrize("swaps", [True, False])
def test_it_takes_the_place(site: Path, swaps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not swaps:
        monkeypatch.setattr(replacing, "_swapped", lambda *_: False)
    site.chmod(0o750)
    with replaced(site, "index.html") as draft:
        write(draft, "index.html", "new")
        assert (site / "index.html").read_text("utf-8") == "old"
    assert [path.name for path in site.iterdir()] == ["index.html"]
    assert (site / "index.html").read_text("utf-8") == "new"
    assert site.stat().st_mode & 0o777 == 0o750
    assert drafts(site) == []


def test_an_error_leaves_what_was_there(site: Path) -> None:
    with pytest.raises(ZeroDivisionError), replaced(site, "index.html") as draft:
        write(draft, "index.html", "new")
        raise ZeroDivisionError
    assert sorted(path.name for path in site.iterdir()) == ["gone.html", "index.html"]
    assert drafts(site) == []


def test_killed_it_leaves_what_was_there_and_the_next_cleans_up(site: Path) -> None:
    process = builds(site, "killed")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (site / "index.html").read_text("utf-8") == "old"
    assert len(drafts(site)) == 1
    with replaced(site, "index.html") as draft:
        write(draft, "index.html", "new")
    assert drafts(site) == []


def test_two_at_once(site: Path) -> None:
    first, second = builds(site, "first"), builds(site, "second")
    assert len(drafts(site)) == 2, "neither takes the other's for one that was left"
    for process, word in ((second, "second"), (first, "first")):
        assert process.communicate(b"\n")[0] == b""
        assert process.returncode == 0
        assert {path.read_text("utf-8") for path in site.iterdir()} == {word}
    assert drafts(site) == []


def test_a_reader_never_finds_none(site: Path) -> None:
    processes = [builds(site, word) for word in "abcdef"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    seen = set()

    def all_done() -> bool:
        seen.add((site / "index.html").exists())
        return all(process.poll() is not None for process in processes)

    wait_until(all_done, "all are done")
    assert seen == {True}
    for process in processes:
        process.communicate()


@pytest.mark.parametrize("make", ["file", "folder"])
def test_what_something_else_made_is_not_replaced(tmp_path: Path, make: str) -> None:
    target = tmp_path / "mine"
    if make == "file":
        target.write_text("x", "utf-8")
    else:
        write(target, "thesis.txt", "x")
    with pytest.raises(SetupError, match="something else made it"), replaced(target, "index.html"):
        raise AssertionError("it is not even begun")
    assert target.exists()


def test_a_new_place_and_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "deep/new"):
        with replaced(tmp_path / name, "index.html") as draft:
            write(draft, "index.html", "new")
        assert (tmp_path / name / "index.html").is_file()
