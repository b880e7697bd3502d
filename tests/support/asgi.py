"""Requests to an application without a server: everything is there, so nothing has to be waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import unquote

__all__ = ["Answer", "ask"]

Message = MutableMapping[str, Any]


class Answer(NamedTuple):
    """Status, headers by lower-case name, text."""

    status: int
    headers: dict[str, str]
    text: str


def ask(
    app: Callable[..., Awaitable[None]], path: str = "/", *, method: str = "GET", **headers: str
) -> Answer:
    """What ``app`` answers. ``headers``: with ``_`` for ``-``; the host is localhost unless given."""
    given = {"host": "localhost:1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("127.0.0.1", 2),
        "server": ("localhost", 1),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    waiting = app(scope, receive, send).__await__()
    try:
        next(waiting)
    except StopIteration:
        pass
    else:
        raise AssertionError("it waits for something")
    start, *bodies = sent
    found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(one.get("body", b"") for one in bodies).decode())
