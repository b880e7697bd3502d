"""The dashboard on a free port of this machine, with snapshots that a test changes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence

import uvicorn

from pgrehearse.dashboard.app import made
from pgrehearse.dashboard.guard import Guard
from pgrehearse.dashboard.latest import Latest
from pgrehearse.status.snapshot import Snapshot
from support.waiting import LIMIT

__all__ = ["Served"]


class Served:
    """It shows ``found`` at ``url`` until `end`, and looks again every so many seconds; so do its pages.

    They ask every second at most. What looks rarely does not change while somebody examines it.
    """

    def __init__(self, found: Sequence[Snapshot], every: float = 0.1) -> None:
        self.found = found
        self._latest = Latest(lambda: self.found, every)
        self._latest.once()
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = Guard(made(self._latest), {"127.0.0.1"}, "")
        config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()
        self._latest.start()

    def end(self) -> None:
        """It answers no more. May be called again."""
        self._latest.stop()
        self._server.should_exit = True
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()
