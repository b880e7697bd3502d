"""What a unit test may not do: start a process, open a connection. Such a test belongs to another folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import psycopg
import pytest

from pgrehearse.execution import session

#: Python's own names (PEP 578) of what is about to happen.
REFUSED = {
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.system",
    "socket.__new__",
    "subprocess.Popen",
}
_under_test = False


def _refuse(*_: Any, **__: Any) -> NoReturn:
    pytest.fail("a test in tests/unit starts no process and opens no connection; tests/db may")


@sys.addaudithook
def _audit(event: str, _: object) -> None:
    if _under_test and event in REFUSED:
        _refuse()


class _Unconnected:
    """libpq opens its sockets without Python's knowledge."""

    connect = connect_start = staticmethod(_refuse)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The test has this process and its files, and nothing else."""
    global _under_test  # noqa: PLW0603 - an audit hook cannot be taken back
    for connection in (psycopg, psycopg.Connection):
        monkeypatch.setattr(connection, "connect", _refuse)
    monkeypatch.setattr(session, "PGconn", _Unconnected)
    _under_test = True
    yield
    _under_test = False
