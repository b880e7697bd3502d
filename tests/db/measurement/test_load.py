"""The load beside a rehearsal, when its server is gone: one sentence, at once."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from pgrehearse.measurement.traffic.recorder import LOAD
from pgrehearse.servers import Server, start
from support.majors import TEST_MAJOR
from support.waiting import LIMIT


def order(dsn: str) -> str:
    """Requests so close that some are due between the end of a server and that of the load."""
    request = {"statements": ["SELECT 1"], "keys": []}
    return json.dumps({"dsn": dsn, "kinds": [{"name": "reads", "requests": [request], "rate": 2000}]}) + "\n"


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with start(TEST_MAJOR) as server:
        gone = server.dsn()
    began = time.monotonic()
    ended = subprocess.run(
        LOAD, input=order(gone), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("the load cannot connect: connection")
    assert len(ended.stderr.splitlines()) == 1
    assert time.monotonic() - began < 60  # not the two minutes in which all must have connected


@pytest.mark.parametrize("module", ["json", "psycopg", "pgrehearse"])
def test_a_file_of_the_folder_is_not_taken_for_a_module(tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text("raise SystemExit('of the folder')", "utf-8")
    ended = subprocess.run(
        LOAD, cwd=tmp_path, input=order("host=/nowhere"), capture_output=True, text=True, check=False
    )
    assert ended.stderr.startswith("the load cannot connect: connection")


def test_a_server_that_goes_is_counted() -> None:
    with start(TEST_MAJOR) as server:
        process = loading(server)
    out, err = process.communicate(timeout=LIMIT)
    reads = json.loads(out)["kinds"]["reads"]
    assert (err, reads["failed"].get("lost", 0) + reads["failed"].get("57P01", 0) > 0) == ("", True)


def loading(server: Server) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(LOAD, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdin and process.stdout
    process.stdin.write(order(server.dsn()))
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"
    return process
