"""A folder held in memory and laid out elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.execution import folders


@pytest.fixture
def full(tmp_path: Path) -> Path:
    folder = tmp_path / "full"
    (folder / "db" / "empty").mkdir(parents=True)
    (folder / "db" / "a.sql").write_bytes(b"SELECT 1;\r\n\xff")
    (folder / "run").write_text("#!/bin/sh\n", "utf-8")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("db/a.sql")
    (folder / "nowhere").symlink_to("missing", target_is_directory=True)
    return folder


def test_laid_out_it_is_the_same(full: Path, tmp_path: Path) -> None:
    held = folders.hold(full)
    assert held is not None
    other = tmp_path / "other"
    (other / "db").mkdir(parents=True)
    (other / "db" / "later.sql").write_text("x", "utf-8")
    (other / "link").symlink_to("db")
    folders.lay_out(held, other)
    assert folders.hold(other) == held
    names = sorted(path.name for path in other.rglob("*"))
    assert names == [
        "a.sql",
        "db",
        "empty",
        "link",
        "nowhere",
        "run",
    ]
    assert (other / "link").read_bytes() == b"SELECT 1;\r\n\xff"


def test_every_difference_shows(full: Path) -> None:
    held = folders.hold(full)
    (full / "run").chmod(0o644)
    changed = folders.hold(full)
    assert changed != held
    (full / "db" / "empty").rmdir()
    assert folders.hold(full) != changed


def test_what_names_the_folder_itself_or_is_large_is_not_held(full: Path) -> None:
    named = full / "activate"
    named.write_text(f"HOME={full}", "utf-8")
    assert folders.hold(full) is None
    named.write_bytes(bytes(4 << 20))
    assert folders.hold(full) is None
    named.unlink()
    assert folders.hold(full) is not None
