"""Who may ask, and what a browser may do with the answer.

A page of somebody else that a browser shows can send requests to this machine, and a name can be made to lead
to it (DNS rebinding). So the host that is asked for has to be one of ours, and so has the page that asks.
There is nothing to change here: only GET and HEAD are answered.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["HEADERS", "Guard", "host_of"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

#: On every answer. No script and no style but our own files, no frame, no form, nothing from elsewhere.
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
#: What a page of another site may do: follow a link to here.
_FROM_ELSEWHERE = {"navigate", ""}


class Guard:
    """Answers for ``app``.

    Args:
        hosts: names and addresses that may be asked for, without port.
        token: what has to be known; empty: nothing.
    """

    def __init__(self, app: App, hosts: Collection[str], token: str = "") -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts}
        self._token = os.fsencode(token)  # the bytes of the variable it comes from

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request; others than HTTP are refused."""
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not served")
        refusal = self._refusal(scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        if refusal is None:
            await self._app(scope, receive, guarded)
            return
        status, text, more = refusal
        body = text.encode() + b"\n"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), *more]
        headers.append((b"content-length", str(len(body)).encode()))
        await guarded({"type": "http.response.start", "status": status, "headers": headers})
        await guarded({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _refusal(self, scope: Message) -> tuple[int, str, list[tuple[bytes, bytes]]] | None:
        given: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            given.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        hosts = given.get("host", [])
        if len(hosts) != 1 or host_of(hosts[0]) not in self._hosts:
            return 421, "this host is not served here; see pgrehearse dashboard --host-name", []
        if scope["method"] not in ("GET", "HEAD"):
            return 405, "nothing can be changed here", [(b"allow", b"GET, HEAD")]
        for origin in given.get("origin", []):
            if origin != f"{urlsplit(origin).scheme}://{hosts[0]}":
                return 403, "this page is not for other sites", []
        site, mode = (given.get(f"sec-fetch-{word}", [""])[0] for word in ("site", "mode"))
        if site == "cross-site" and mode not in _FROM_ELSEWHERE:
            return 403, "this page is not for other sites", []
        if self._token and not self._knows(given.get("authorization", [])):
            return 401, "a token is needed", [(b"www-authenticate", b'Basic realm="pgrehearse"')]
        return None

    def _knows(self, given: list[str]) -> bool:
        if len(given) != 1:
            return False
        kind, _, value = given[0].partition(" ")
        if kind.lower() == "bearer":
            return hmac.compare_digest(value.strip().encode("latin-1"), self._token)
        if kind.lower() != "basic":
            return False
        try:
            _, _, password = base64.b64decode(value.strip(), validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(password, self._token)


def host_of(given: str) -> str:
    """The host of a header ``Host``, without port; empty for what is none."""
    try:
        parts = urlsplit(f"//{given}")
        _ = parts.port  # it may be no number
    except ValueError:
        return ""
    if parts.path or parts.query or parts.fragment or parts.username is not None or not parts.hostname:
        return ""
    return parts.hostname
