"""The one writer of files: the old text or the new one, whatever happens on the way."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pgrehearse import files
from pgrehearse.errors import SetupError
from support import ROOT

FULL = "new" * 4096


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process may grow beyond 4 kB. Python ignores the signal, so the write itself fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_there_survives_a_full_disk(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("old\n")
    with full_disk(), pytest.raises(SetupError) as caught:
        files.write(file, FULL)
    assert f"{file}: cannot be written: File too large\n  next: " in str(caught.value)
    assert (file.read_text(), list(tmp_path.iterdir())) == ("old\n", [file])


def test_a_plain_write_does_not_survive_it(tmp_path: Path) -> None:
    """The negative control: the limit does cut a file off."""
    file = tmp_path / "page.md"
    file.write_text("old\n")
    with full_disk(), pytest.raises(OSError, match="File too large"):
        file.write_text(FULL)
    assert file.read_text().startswith("newnew")


def test_an_interrupt_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "page.md"
    file.write_text("old\n")

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write(file, "new\n")
    assert (file.read_text(), list(tmp_path.iterdir())) == ("old\n", [file])


def test_mode_and_line_ends_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "run.sql"
    file.write_text("old")
    file.chmod(0o750)
    files.write(file, "ä\r\nb\n")
    assert (file.stat().st_mode & 0o777, file.read_bytes()) == (0o750, "ä\r\nb\n".encode())


def test_a_new_file_has_the_mode_of_every_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    files.write(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "page.md", tmp_path / "page.md"
    real.write_text("old")
    link.symlink_to("there/page.md")
    files.write(link, "new")
    assert (link.is_symlink(), real.read_text()) == (True, "new")


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        files.write(pipe, "new")
        assert (pipe.is_fifo(), os.read(reader, 10)) == (True, b"new")
    finally:
        os.close(reader)


def test_no_folder_is_an_error_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be written: No such file or directory") as caught:
        files.write(tmp_path / "nowhere" / "page.md", "new")
    assert caught.value.path == tmp_path / "nowhere" / "page.md"


def test_json_keeps_the_form_of_the_evidence(tmp_path: Path) -> None:
    """Byte for byte, so that writing evidence again shows only what was measured anew."""
    committed = sorted((ROOT / "evidence").rglob("*.json"))
    assert committed
    for file in committed:
        again = files.write_json(tmp_path / "new" / file.name, json.loads(file.read_text("utf-8")))
        assert again.read_bytes() == file.read_bytes(), file


def test_json_lists_of_numbers_take_a_line_and_texts_are_left_alone(tmp_path: Path) -> None:
    data = {"numbers": [1, -2.5, None], "text": "say [ 1, 2 ]", "none": []}
    text = files.write_json(tmp_path / "a.json", data, sort_keys=True).read_text()
    assert text == '{\n "none": [],\n "numbers": [1, -2.5, null],\n "text": "say [ 1, 2 ]"\n}\n'
    assert json.loads(text) == data
