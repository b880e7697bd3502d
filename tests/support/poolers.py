"""Poolers before a server: a real PgBouncer, and a proxy that does what every pooler does."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from support.programs import program
from support.waiting import LIMIT, wait_until

__all__ = ["bouncer_before", "proxy_before"]


@contextmanager
def bouncer_before(dsn: str, mode: str, name: str = "pgbouncer-1.24", **settings: object) -> Iterator[str]:
    """The connection string of a PgBouncer in ``mode`` before the server of ``dsn``; skips without one.

    ``settings``: more lines of its configuration.
    """
    pgbouncer = program(name)
    server = conninfo_to_dict(dsn)
    owner = Path(str(server["host"])).stat()
    with tempfile.TemporaryDirectory(prefix="bouncer-", dir="/tmp") as folder:
        config = Path(folder, "pgbouncer.ini")
        config.write_text(
            f"[databases]\n* = host={server['host']} port={server['port']} user={server['user']}\n"
            f"[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {folder}\nauth_type = any\n"
            f"pool_mode = {mode}\nlogfile = {folder}/log\nadmin_users = app\n"
            + "".join(f"{key} = {value}\n" for key, value in settings.items()),
            encoding="utf-8",
        )
        who = {}
        if os.geteuid() == 0:  # PgBouncer does not run as root
            os.chown(folder, owner.st_uid, owner.st_gid)
            who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        process = subprocess.Popen([pgbouncer, "-q", str(config)], **who)
        try:
            pooled = make_conninfo("", host=folder, port=6432, user="app", dbname=server["dbname"])

            def there() -> bool:
                with suppress(psycopg.OperationalError), psycopg.connect(pooled):
                    return True
                assert process.poll() is None, Path(folder, "log").read_text("utf-8")
                return False

            wait_until(there, "pgbouncer answers")
            yield pooled
        finally:
            process.kill()  # since 1.23 it would wait for its clients after a SIGTERM
            process.wait()


@contextmanager
def proxy_before(dsn: str) -> Iterator[str]:
    """The connection string of a proxy that makes up the number that a client cancels by."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_forward, args=(listening, conninfo_to_dict(dsn)), daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        yield make_conninfo(dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")


def _forward(listening: socket.socket, server: dict[str, object]) -> None:
    """Pass connections on to the server, one at a time."""
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with client, socket.socket(socket.AF_UNIX) as behind:
                behind.connect(f"{server['host']}/.s.PGSQL.{server['port']}")
                answers = threading.Thread(target=_answers, args=(behind, client), daemon=True)
                answers.start()
                while data := client.recv(65536):
                    behind.sendall(data)
                behind.shutdown(socket.SHUT_RDWR)
                answers.join(LIMIT)


def _answers(behind: socket.socket, client: socket.socket) -> None:
    """The server's messages, the process id in its BackendKeyData (K) replaced."""
    with suppress(OSError), behind.makefile("rb") as stream:
        while head := stream.read(5):
            kind, length = struct.unpack("!cI", head)
            body = stream.read(length - 4)
            if kind == b"K":
                body = struct.pack("!I", 4711) + body[4:]
            client.sendall(head + body)
