"""What killed runs left, supervisors and all, is cleared up by the next; what lives or is not ours stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pgrehearse.owners import marker
from pgrehearse.servers import local, orphans, start
from support.majors import TEST_MAJOR
from support.postmasters import postmaster, socket_dir
from support.processes import alive, descendants
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="owners are told by /proc")

HOLD = f"""
import sys
from pgrehearse.servers import start
server = start({TEST_MAJOR!r})
print(server.env("postgres")["PGHOST"], flush=True)
sys.stdin.read()
"""


def gone() -> str:
    namespace, pid, started = marker().split(":")
    return f"{namespace}:{pid}:{int(started) - 1}"


def test_a_server_whose_supervisor_was_killed_too() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    directory = Path(process.stdout.readline().strip())
    pid = postmaster(directory)
    others = descendants(process.pid, without=pid)
    for one in (process.pid, *others):
        os.kill(one, signal.SIGSTOP)
    for one in (*others, process.pid):
        os.kill(one, signal.SIGKILL)
    process.communicate()
    assert alive(pid)
    orphans.sweep.cache_clear()
    with start(TEST_MAJOR):
        wait_until(lambda: not alive(pid), "the postmaster ends")
        assert not directory.exists()


def test_a_live_server_stays() -> None:
    with start(TEST_MAJOR) as server:
        orphans.sweep.cache_clear()
        with start(TEST_MAJOR):
            assert server.alive()
        assert isinstance(server, local.LocalServer)
        (socket_dir(server) / "owner").write_text(gone())
        orphans.sweep.cache_clear()
        with start(TEST_MAJOR):
            assert server.alive(), "its supervisor is there"


@pytest.mark.parametrize("owner", [None, "", "somebody", "1:2:3"])
def test_what_says_nothing_is_left_alone(tmp_path: Path, owner: str | None) -> None:
    (tmp_path / "pgr-abc").mkdir()
    if owner is not None:
        (tmp_path / "pgr-abc" / "owner").write_text(owner)
    orphans.sweep((str(tmp_path),))
    assert (tmp_path / "pgr-abc").is_dir()


def test_temporary_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = [f"pgrehearse-{gone().replace(':', '-')}-x", f"{orphans.prefix()}x", "pgrehearse-1-2-3-x"]
    for name in [*names, "pgrehearse-mine", "pgrehearse-a-b-c-d"]:
        (tmp_path / name).mkdir()
    orphans.sweep((str(tmp_path),))
    assert not (tmp_path / names[0]).exists()
    assert len(list(tmp_path.iterdir())) == 4
