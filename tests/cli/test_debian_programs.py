"""The tool that unpacks programs of other Debian suites: what it refuses; what it unpacked starts."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.majors import PREVIEW
from support import ROOT
from support.processes import Ended, call, clean_environment
from support.programs import POOLERS, program

TOOL = (sys.executable, str(ROOT / "tools" / "debian_programs.py"))


def unpack(cache: Path, *words: str, path: Path | None = None) -> Ended:
    more = {"PGREHEARSE_CACHE": str(cache)} | ({"PATH": str(path)} if path else {})
    return call((*TOOL, *words), ROOT, clean_environment(**more))


def test_a_name_that_is_not_listed_is_refused_with_those_that_are(tmp_path: Path) -> None:
    ended = unpack(tmp_path, "pgbouncer-0.1")
    assert ended.status == 64
    assert "not among the programs: pgbouncer-0.1" in ended.err and "pgbouncer-1.24" in ended.err


def test_a_machine_without_apt_is_told_so_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    ended = unpack(tmp_path / "cache", "pgbouncer-1.18", path=tmp_path / "bin")
    assert ended.status == 69, ended.said
    assert "this machine has no apt-get" in ended.err and "next: run this on Debian" in ended.err
    assert [path.name for path in (tmp_path / "cache" / "debian").rglob("*")] == []


@pytest.mark.parametrize("name", POOLERS)
def test_what_was_unpacked_starts_and_is_no_older_than_its_name_says(name: str) -> None:
    said = subprocess.run([program(name), "--version"], capture_output=True, text=True, check=True).stdout
    least = tuple(map(int, name.rpartition("-")[2].split(".")))
    version = said.split()[1]
    assert tuple(map(int, version.split(".")))[:2] >= least


@pytest.fixture
def index(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Plants a Debian mirror of our own; what the tool has to be told of it."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        pytest.skip("apt-get and dpkg-deb are of Debian")
    mirror = tmp_path / "debian"

    def plant(version: str) -> dict[str, str]:
        shutil.rmtree(mirror, ignore_errors=True)
        tree, pool = tmp_path / "tree", mirror / "pool"
        pool.mkdir(parents=True)
        entries = []
        for package in "postgresql-19", "postgresql-client-19":
            shutil.rmtree(tree, ignore_errors=True)
            folder = tree / "usr/lib/postgresql/19/bin"
            (tree / "DEBIAN").mkdir(parents=True)
            folder.mkdir(parents=True)
            (tree / "usr/lib/x86_64-linux-gnu").mkdir()
            (tree / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2").touch()
            shutil.copy(sys.executable, folder / package)  # any program
            control = f"Package: {package}\nVersion: {version}\nArchitecture: all\nMaintainer: x <x@x>\n"
            (tree / "DEBIAN/control").write_text(f"{control}Description: planted\n")
            deb = pool / f"{package}_{version.replace('~', '.')}.deb"
            subprocess.run(["dpkg-deb", "-Znone", "-b", tree, deb], check=True, stdout=subprocess.DEVNULL)
            digest = hashlib.sha256(deb.read_bytes()).hexdigest()
            where = f"Filename: pool/{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"
            entries.append(f"{control}{where}Description: planted\n")
        machine = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
        for suite, content in ("sid", [entries[1]]), ("experimental", entries):
            lists = mirror / "dists" / suite / "main" / f"binary-{machine}"
            lists.mkdir(parents=True)
            (lists / "Packages").write_text("\n".join(content))
            release = f"Suite: {suite}\nCodename: {suite}\nComponents: main\nArchitectures: {machine} all\n"
            sums = f" {hashlib.sha256((lists / 'Packages').read_bytes()).hexdigest()}"
            sums += f" {(lists / 'Packages').stat().st_size} main/binary-{machine}/Packages\n"
            (mirror / "dists" / suite / "Release").write_text(f"{release}SHA256:\n{sums}")
        (tmp_path / "sources").write_text(f"deb file:{mirror} sid main\n")
        (tmp_path / "state" / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        settings = {
            "Dir::Etc::sourcelist": tmp_path / "sources",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": tmp_path / "state",
            "Dir::State::Lists": tmp_path / "state" / "lists",
            "Dir::Cache": tmp_path / "state",
            "APT::Sandbox::User": "root",
            "Acquire::AllowInsecureRepositories": "true",
            "APT::Get::AllowUnauthenticated": "true",
        }
        (tmp_path / "apt.conf").write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
        machine_wide = clean_environment(APT_CONFIG=str(tmp_path / "apt.conf"))
        subprocess.run(["apt-get", "-qq", "update"], env=machine_wide, check=True, capture_output=True)
        return {"APT_CONFIG": str(tmp_path / "apt.conf")}

    return plant


def test_a_release_in_the_index_is_red_while_evidence_is_of_a_preview(
    index: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    cache, name = tmp_path / "cache", "postgresql-19"

    def newest(version: str, *words: str) -> tuple[int, str, str]:
        more = {"PGREHEARSE_CACHE": str(cache), **index(version)}
        ended = call((*TOOL, *words, name), ROOT, clean_environment(**more))
        unpacked = cache / "debian" / name / "VERSION"
        return ended.status, ended.err, unpacked.read_text().split()[1] if unpacked.exists() else ended.said

    label = PREVIEW[19].replace("19", "19~")
    assert newest(f"{label}-1", "--newest") == (0, "", f"{label}-1"), "the preview that evidence is of"
    assert newest("19.0-1") == (0, "", f"{label}-1"), "what is there stays"
    status, said, unpacked = newest("19.0-1", "--newest")
    assert (status, unpacked) == (1, "19.0-1")
    assert f"recorded on PostgreSQL {PREVIEW[19]}, before its release; 19.0 is here" in said
    assert "next: end its line of PREVIEW" in said
    assert newest(f"{label}-2", "--newest")[2] == "19.0-1", "an older one replaces nothing"
