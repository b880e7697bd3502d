"""Kept servers: how many."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.servers import kept
from pgrehearse.servers.keeping import LIMIT, store


def test_only_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGREHEARSE_CACHE", str(tmp_path / "cache"))
    for number in range(LIMIT + 2):
        (tmp_path / "data").mkdir()
        (tmp_path / "log").write_text("", "utf-8")
        store(f"s{number}", 18, "18.6", tmp_path / "data", tmp_path / "log")
    assert [one.id for one in kept()] == ["s6", "s5", "s4", "s3", "s2"]
