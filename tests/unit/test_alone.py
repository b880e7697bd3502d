"""The unit tier is alone: what would start a process or open a connection fails there."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.request
from collections.abc import Callable

import psycopg
import pytest

from pgrehearse.execution.session import Session

WAYS: dict[str, Callable[[], object]] = {
    "a program": lambda: subprocess.run(["true"], check=True),
    "a shell": lambda: os.system("true"),  # noqa: S605
    "a copy of this process": os.fork,
    "PostgreSQL": lambda: psycopg.connect("host=127.0.0.1 port=1"),
    "a session of ours": lambda: Session("main", "host=127.0.0.1 port=1"),
    "a socket": socket.socket,
    "a page": lambda: urllib.request.urlopen("http://127.0.0.1:1/"),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_leaves_the_process(way: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="tests/unit starts no process and opens no connection"):
        WAYS[way]()
