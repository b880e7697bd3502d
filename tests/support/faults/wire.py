"""A connection to a server that counts requests, and lets something happen before, during or after one.

It changes no byte, so the program under test cannot tell it from the server: the process id by which a
client cancels is the backend's own.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from support.waiting import LIMIT

__all__ = ["Line", "Point", "Wire"]

#: Connections that ask as often as time allows: their requests make no moment.
_BYSTANDERS = ("pgrehearse db watch", "pgrehearse monitor")
_CANCEL = 80877102
#: Messages that the server answers with ReadyForQuery, or that must not be held back.
_SENDS = frozenset(b"QSFHXcdfp")
_REQUESTS = frozenset(b"QS")
#: ReadyForQuery, and CopyInResponse, after which the server waits for rows.
_ANSWERED = (b"Z", b"G")


@dataclass(frozen=True)
class Point:
    """When something happens: at request ``number``, counted from 1.

    ``side``: before the server gets it, ``during`` it (``delay`` seconds after the server got it), or
    after it was answered and before the client sees the answer.
    """

    number: int
    side: str
    delay: float
    act: Callable[[Line], None]


@dataclass(eq=False)
class Line:
    """One connection. ``pid``: of its backend. ``lingers``: until then the server is not told of its end."""

    client: socket.socket
    server: socket.socket
    application: str = ""
    pid: int = 0
    held: bytearray | None = None
    answered: Callable[[], None] | None = None
    lingers: threading.Event | None = None

    def cut(self) -> None:
        """Client and server find the connection gone; the server only when it no longer lingers."""
        for end in (self.client, self.server) if self.lingers is None else (self.client,):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class Wire:
    """Listens in ``folder`` and passes everything on to the server's socket in ``behind``."""

    folder: Path
    behind: Path
    point: Point | None = None
    #: requests so far, as text
    requests: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.folder / ".s.PGSQL.5432"))
        self._listening.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for line in list(self.lines):
            line.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        line = Line(client, server)
        self.lines.append(line)
        with client, server, suppress(OSError):
            server.connect(str(self.behind / ".s.PGSQL.5432"))
            answers = threading.Thread(target=self._answers, args=(line,), daemon=True)
            answers.start()
            with suppress(OSError):
                self._questions(line)
            if line.lingers is not None:
                line.lingers.wait(LIMIT)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)  # the server reads what was sent, then the end
            answers.join(LIMIT)
        line.cut()

    def _questions(self, line: Line) -> None:
        with line.client.makefile("rb") as stream:
            first = stream.read(8)
            if len(first) < 8:
                return
            length, code = struct.unpack("!II", first)
            rest = stream.read(length - 8)
            line.server.sendall(first + rest)
            if code == _CANCEL:
                return
            words = [word.decode(errors="replace") for word in rest.split(b"\0")]
            line.application = dict(zip(words[::2], words[1::2], strict=False)).get("application_name", "")
            batch = bytearray()
            while len(head := stream.read(5)) == 5:
                kind, length = struct.unpack("!cI", head)
                batch += head + stream.read(length - 4)
                if kind[0] in _SENDS:
                    self._pass(line, kind[0], bytes(batch))
                    batch.clear()

    def _pass(self, line: Line, kind: int, batch: bytes) -> None:
        """Send a request on, and let happen what is to happen at this one."""
        point = None
        if kind in _REQUESTS and line.application not in _BYSTANDERS:
            with self._guard:
                self.requests.append(_text(batch))
                if self.point is not None and len(self.requests) == self.point.number:
                    point, self.point = self.point, None
        if point is None:
            line.server.sendall(batch)
            return
        act = point.act
        if point.side == "before":
            act(line)
            self.reached.set()
            line.server.sendall(batch)
        elif point.side == "during":
            line.server.sendall(batch)
            threading.Event().wait(point.delay)
            act(line)
            self.reached.set()
        else:

            def answered() -> None:
                act(line)
                self.reached.set()

            line.held, line.answered = bytearray(), answered
            line.server.sendall(batch)

    def _answers(self, line: Line) -> None:
        with suppress(OSError), line.server.makefile("rb") as stream:
            while len(head := stream.read(5)) == 5:
                kind, length = struct.unpack("!cI", head)
                body = stream.read(length - 4)
                if kind == b"K":
                    (line.pid,) = struct.unpack("!I", body[:4])
                if line.held is None:
                    line.client.sendall(head + body)
                    continue
                line.held += head + body
                if kind in _ANSWERED:
                    self._release(line)
        if line.held is not None:  # the server went before it answered
            with suppress(OSError):
                self._release(line)
        with suppress(OSError):
            line.client.shutdown(socket.SHUT_RDWR)

    def _release(self, line: Line) -> None:
        held, answered = line.held, line.answered
        line.held = line.answered = None
        assert held is not None and answered is not None
        answered()
        line.client.sendall(bytes(held))


def _text(batch: bytes) -> str:
    """What a request says, on one line, for people."""
    start = batch[6:] if batch[:1] == b"P" else batch[5:]  # an unnamed statement, or a simple query
    return " ".join(start.split(b"\0")[0].decode(errors="replace").split())[:100]
