"""A connection through a pooler is refused: a real PgBouncer, and a proxy that acts like one."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrehearse.errors import SetupError
from pgrehearse.migration.runner.runner import down, up
from support.places import QUICK, Place
from support.waiting import wait_until

_PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def assert_refused(place: Place, dsn: str) -> None:
    for run in (up, down):
        with pytest.raises(SetupError, match="this connection goes through a pooler"):
            list(run(dsn, place.migrations(), options=QUICK))
    assert place.one("SELECT to_regnamespace('pgrehearse')") is None


@pytest.fixture(params=["transaction", "session"])
def bouncer(request: pytest.FixtureRequest, place: Place) -> Iterator[str]:
    """The connection string of a real PgBouncer before the place's database, on a socket of its own."""
    if _PGBOUNCER is None:
        pytest.skip("no pgbouncer is installed (apt install pgbouncer)")
    server = conninfo_to_dict(place.dsn)
    owner = Path(str(server["host"])).stat()
    with tempfile.TemporaryDirectory(prefix="bouncer-", dir="/tmp") as folder:
        config = Path(folder, "pgbouncer.ini")
        config.write_text(
            f"[databases]\n* = host={server['host']} port={server['port']} user={server['user']}\n"
            f"[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {folder}\nauth_type = any\n"
            f"pool_mode = {request.param}\nlogfile = {folder}/log\n",
            encoding="utf-8",
        )
        who = {}
        if os.geteuid() == 0:  # PgBouncer does not run as root
            os.chown(folder, owner.st_uid, owner.st_gid)
            who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        process = subprocess.Popen([_PGBOUNCER, "-q", str(config)], **who)
        try:
            dsn = make_conninfo("", host=folder, port=6432, user="app", dbname=server["dbname"])

            def there() -> bool:
                with suppress(psycopg.OperationalError), psycopg.connect(dsn):
                    return True
                assert process.poll() is None, Path(folder, "log").read_text("utf-8")
                return False

            wait_until(there, "pgbouncer answers")
            yield dsn
        finally:
            process.terminate()
            process.wait()


def test_pgbouncer_is_refused_and_may_be_asked_for_the_status(place: Place, bouncer: str) -> None:
    place.write(1, "CREATE TABLE t ();", "DROP TABLE t;")
    assert_refused(place, bouncer)
    other = Place(bouncer, place.root, processes=place.processes)
    status, out, err = other.command("status")
    assert status == 0, err
    assert "0 applied, 1 pending" in out
    assert other.command("up")[0] == SetupError.exit_code


def test_a_process_id_that_is_not_the_backends_is_refused(place: Place) -> None:
    """What every pooler does, without one: it makes up the number that a client cancels by."""
    place.write(1, "CREATE TABLE t ();", "DROP TABLE t;")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_forward, args=(listening, conninfo_to_dict(place.dsn)), daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        assert_refused(
            place,
            make_conninfo(place.dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable"),
        )
    place.up()  # the control: the same database, directly


def _forward(listening: socket.socket, server: dict[str, object]) -> None:
    """Pass connections on to the server, one at a time."""
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            with client, socket.socket(socket.AF_UNIX) as behind:
                behind.connect(f"{server['host']}/.s.PGSQL.{server['port']}")
                answers = threading.Thread(target=_answers, args=(behind, client), daemon=True)
                answers.start()
                while data := client.recv(65536):
                    behind.sendall(data)
                behind.shutdown(socket.SHUT_RDWR)
                answers.join(5)


def _answers(behind: socket.socket, client: socket.socket) -> None:
    """The server's messages, the process id in its BackendKeyData (K) replaced."""
    with suppress(OSError), behind.makefile("rb") as stream:
        while head := stream.read(5):
            kind, length = struct.unpack("!cI", head)
            body = stream.read(length - 4)
            if kind == b"K":
                body = struct.pack("!I", 4711) + body[4:]
            client.sendall(head + body)
