"""Proxies before a server that pass messages on: one to one, or many clients over few server connections.

They know as much of the protocol as a pooler has to. Unlike PgBouncer they tell their clients the true
process id of a server connection, which is what makes them hard to recognize.
"""

from __future__ import annotations

import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["forwarder_before", "multiplexer_before"]

_WAIT = 60.0  # seconds a proxy waits for one message, so that no thread outlives its test for long
_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102


@contextmanager
def forwarder_before(dsn: str, silence: float = _WAIT) -> Iterator[str]:
    """The connection string of a proxy that passes bytes on, as HAProxy or an SSH tunnel does.

    ``silence``: seconds after which it gives up a connection on which nothing was said, for a lock perhaps.
    """

    def forward(client: socket.socket) -> None:
        with _connected(dsn) as server:
            for side in (client, server):
                side.settimeout(silence)
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join(_WAIT)

    with _listening(dsn, forward) as proxied:
        yield proxied


@contextmanager
def multiplexer_before(dsn: str, mode: str, size: int, *, made_before: bool = True) -> Iterator[str]:
    """The connection string of a pooler in ``mode``: ``session``, ``transaction``.

    ``size`` server connections, made before any client comes, or when a client first finds none.
    """
    with ExitStack() as stack:
        idle: queue.LifoQueue[_Server] = queue.LifoQueue()
        gate = threading.Semaphore(size)

        def make() -> _Server:
            return stack.enter_context(closing(_Server(dsn)))

        if made_before:
            for _ in range(size):
                idle.put(make())

        def take() -> _Server:
            assert gate.acquire(timeout=_WAIT)
            with suppress(queue.Empty):
                return idle.get_nowait()
            return make()

        def give(server: _Server) -> None:
            idle.put(server)
            gate.release()

        def serve(client: socket.socket) -> None:
            if not _greeted(client):
                return
            held: _Server | None = take()
            assert held is not None
            client.sendall(held.greeting)
            try:
                if mode == "transaction":
                    give(held)
                    held = None
                while (message := _message(client)) and message[:1] != b"X":
                    held = held or take()
                    held.socket.sendall(message)
                    if message[:1] in b"QSF" and held.answer(client) == b"I" and mode == "transaction":
                        give(held)
                        held = None
            finally:
                if held:
                    give(held)

        with _listening(dsn, serve) as proxied:
            yield proxied


class _Server:
    """A connection to the server. ``greeting``: what a client gets to see of its beginning."""

    def __init__(self, dsn: str) -> None:
        named = conninfo_to_dict(dsn)
        self.socket = _connected(dsn)
        words = ["user", named["user"], "database", named["dbname"], "client_encoding", "UTF8", ""]
        body = struct.pack("!I", 196608) + b"".join(f"{word}\0".encode() for word in words)
        self.socket.sendall(struct.pack("!I", len(body) + 4) + body)
        self.greeting = b""
        while True:
            message = _message(self.socket)
            assert message and message[:1] != b"E", message
            self.greeting += message
            if message[:1] == b"Z":
                return

    def answer(self, client: socket.socket) -> bytes:
        """Pass on what the server says, up to its being ready; the state of the transaction then."""
        while message := _message(self.socket):
            client.sendall(message)
            if message[:1] == b"Z":
                return message[5:6]
        raise OSError("the server is gone")

    def close(self) -> None:
        self.socket.close()


@contextmanager
def _listening(dsn: str, serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve each client of a new port in a thread of its own; all of them end with the block."""
    clients: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def guarded(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(_WAIT)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            serve(client)

    def accept(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                clients.append(listening.accept()[0])
                threads.append(threading.Thread(target=guarded, args=(clients[-1],), daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=accept, args=(listening,), daemon=True)
        accepting.start()
        try:
            port = listening.getsockname()[1]
            yield make_conninfo(dsn, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        finally:
            for each in (listening, *clients):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            accepting.join(_WAIT)
            for thread in threads:
                thread.join(_WAIT)


def _connected(dsn: str) -> socket.socket:
    named = conninfo_to_dict(dsn)
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(_WAIT)
    made.connect(str(Path(str(named["host"]), f".s.PGSQL.{named['port']}")))
    return made


def _greeted(client: socket.socket) -> bool:
    """Read a client's first words; whether it wants a session."""
    while True:
        (length,) = struct.unpack("!I", _exactly(client, 4) or b"\0\0\0\4")
        body = _exactly(client, length - 4)
        code = struct.unpack("!I", body[:4])[0] if len(body) >= 4 else 0
        if code not in (_SSL, _GSS):
            return code not in (0, _CANCEL)
        client.sendall(b"N")


def _message(stream: socket.socket) -> bytes:
    """One message with its head; empty at the end."""
    head = _exactly(stream, 5)
    return head + _exactly(stream, struct.unpack("!I", head[1:])[0] - 4) if head else b""


def _exactly(stream: socket.socket, count: int) -> bytes:
    """That many bytes, or none when the other side has ended."""
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            return b""
        data += piece
    return data


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
