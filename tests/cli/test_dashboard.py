"""``pgrehearse dashboard``: bound where it is safe, served, ended."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest

from pgrehearse.servers import Server
from support.bench import Bench
from support.waiting import LIMIT, wait_until
from support.ways import Way, way_on

_TOKEN = "a-token-of-many-letters"  # noqa: S105 - of a test


@pytest.fixture
def way(server: Server, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """One migration, applied in development."""
    with way_on(server, bench, monkeypatch) as made:
        made.migration(1, "CREATE TABLE shop (id int);")
        made.declare()
        made.up()
        made.as_("postgres")
        yield made


def started(way: Way, *words: str) -> tuple[subprocess.Popen[str], int]:
    """The process, and the port it listens at."""
    process = way.bench.start("dashboard", "--every", "0.2", *words)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.match(r"http://[^ ]+:(\d+)/ shows 3 databases\n", line)
    assert found, line + process.communicate(timeout=LIMIT)[1]
    return process, int(found[1])


def get(port: int, path: str = "/", **headers: str) -> tuple[int, str]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_it_shows_what_is_and_then_what_became_of_it(way: Way) -> None:
    process, port = started(way, "--address", "127.0.0.1:0")
    place = f"/database/{way.name('development')}"
    wait_until(lambda: get(port, place)[0] == 200, "the first look has ended")
    assert "1 applied" in get(port, place)[1]
    assert get(port, "/", Host="evil.example")[0] == 421
    assert 'pgrehearse_fact_level{database=""' in get(port, "/metrics")[1]
    way.databases["development"].execute("ALTER TABLE shop ADD CHECK (id > 0) NOT VALID")
    wait_until(lambda: "is NOT VALID" in get(port, place)[1], "a later look shows it")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130, err
    assert "Traceback" not in out + err


def test_other_machines_are_let_in_with_a_token_only(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = way.bench.call("dashboard", "--address", "0.0.0.0:0")
    assert refused.status == 69
    assert (
        "0.0.0.0 can be reached from other machines, and PGREHEARSE_DASHBOARD_TOKEN is not set" in refused.err
    )
    monkeypatch.setenv("PGREHEARSE_DASHBOARD_TOKEN", "short")
    assert "is shorter than 16 characters" in way.bench.call("dashboard", "--address", "0.0.0.0:0").err
    monkeypatch.setenv("PGREHEARSE_DASHBOARD_TOKEN", _TOKEN)
    process, port = started(way, "--address", "0.0.0.0:0", "--host-name", "status.example")
    assert process.stdout is not None
    assert "it shows names of databases, roles and objects, and SQL" in process.stdout.readline()
    assert get(port, Host="status.example")[0] == 401
    assert get(port, Host="status.example", Authorization=f"Bearer {_TOKEN}")[0] == 200
    assert get(port, Host="localhost", Authorization=f"Bearer {_TOKEN}")[0] == 421
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert _TOKEN not in out + err


def test_what_is_refused(way: Way) -> None:
    for address in (
        "nothing",
        "127.0.0.1",
        ":1",
        "127.0.0.1:x",
        "127.0.0.1:99999",
        "a/b:1",
        "me@localhost:1",
    ):
        refused = way.bench.call("dashboard", "--address", address)
        assert (refused.status, "is no address" in refused.err) == (69, True), refused.said
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = way.bench.call("dashboard", "--address", f"127.0.0.1:{taken.getsockname()[1]}")
    assert (refused.status, "cannot listen at" in refused.err) == (69, True)
