"""The servers of one run: one per major, started when first asked for, all stopped at the end."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Collection
from types import TracebackType
from typing import Self

from pgrehearse.errors import SetupError
from pgrehearse.servers import binaries
from pgrehearse.servers.base import Server
from pgrehearse.servers.local import start
from pgrehearse.servers.url import UrlServer

__all__ = ["Servers"]

_log = logging.getLogger(__name__)


class Servers:
    """The servers of one run: each started when first asked for, one per major, all stopped at the end.

    Args:
        url: use this server and start none. Default: ``PGREHEARSE_SERVER``, if set.
    """

    def __init__(self, url: str | None = None) -> None:
        self._url = url or os.environ.get("PGREHEARSE_SERVER") or None
        self._running: dict[int, Server] = {}
        self._guard = threading.Lock()

    def get(self, major: int | None = None) -> Server:
        """Return the server for ``major``; None means the default, or whatever the URL's server is.

        A server that died is replaced by a fresh one, a new object: nothing of the old one is left.

        Raises:
            SetupError: it cannot be had, or the URL's server is of another major.
        """
        with self._guard:
            if self._url is not None:
                return self._given(self._url, major)
            wanted = major if major is not None else binaries.find(None).major
            server = self._running.get(wanted)
            if server is not None and not server.alive():
                _log.warning("the PostgreSQL %s server ended by itself; starting another", server.version)
                server.stop()
                server = None
            if server is None:
                server = self._running[wanted] = start(wanted)
            return server

    def replace(self, server: Server, *, keep: bool = False) -> None:
        """Stop ``server``, which is one of ours; the next `get` starts a fresh one. ``keep``: see `close`."""
        with self._guard:
            for major in [major for major, running in self._running.items() if running is server]:
                del self._running[major]
        server.stop(keep=keep)

    def close(self, keep: Collection[str] = ()) -> None:
        """Stop all servers; those whose id is in ``keep`` leave their data for `reopen`."""
        with self._guard:
            while self._running:
                _, server = self._running.popitem()
                server.stop(keep=server.id in keep)

    def _given(self, url: str, major: int | None) -> Server:
        server = next(iter(self._running.values()), None)
        if server is None:
            server = UrlServer(url)
            self._running[server.major] = server
        if major is not None and major != server.major:
            raise SetupError(
                f"PostgreSQL {major} was asked for, but the URL's server is {server.version}",
                next_step="unset PGREHEARSE_SERVER, or ask for that major only",
            )
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
