"""The dashboard is bound to an address and served until it is ended."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass

import uvicorn

from pgrehearse.dashboard.app import made
from pgrehearse.dashboard.guard import Guard, host_of
from pgrehearse.dashboard.latest import Latest
from pgrehearse.errors import SetupError
from pgrehearse.status.survey import Survey

__all__ = ["ADDRESS", "TOKEN", "Settings", "serve"]

ADDRESS = "127.0.0.1:8420"
#: The variable that holds the token: an argument would stand in the list of processes.
TOKEN = "PGREHEARSE_DASHBOARD_TOKEN"  # noqa: S105 - its name
_LEAST = 16  # characters of a token
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Settings:
    """How it is served.

    Attributes:
        address: ``host:port``; port 0 takes a free one.
        names: by which it may be asked for, beside its address.
        token: what has to be known; empty: nothing.
        every: seconds between two looks.
        handbook: where pages of the handbook are, for links.
    """

    address: str = ADDRESS
    names: Collection[str] = ()
    token: str = ""
    every: float = 30.0
    handbook: str = ""


def serve(survey: Survey, settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises SetupError: not that address, or not without a token."""
    host, port = _parsed(settings.address)
    _safe(host, settings.token)
    latest = Latest(survey.look, settings.every)
    with _bound(host, port) as listening:
        hosts = {*_LOOPBACK, host, *settings.names} if _loopback(host) else {host, *settings.names}
        app = Guard(made(latest, settings.handbook), hosts, settings.token)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        shown = f"[{host}]" if ":" in host else host
        tell(f"http://{shown}:{listening.getsockname()[1]}/ shows {len(survey.places)} databases")
        if not _loopback(host):
            tell("it shows names of databases, roles and objects, and SQL, to everybody who has the token;")
            tell("the way is not encrypted: let a proxy with TLS stand before it")
        latest.start()
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            latest.stop()


def _safe(host: str, token: str) -> None:
    if token and len(token) < _LEAST:
        raise SetupError(
            f"{TOKEN} is shorter than {_LEAST} characters",
            next_step="make one: python3 -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    if not token and not _loopback(host):
        raise SetupError(
            f"refused: {host} can be reached from other machines, and {TOKEN} is not set",
            next_step=f"serve at {ADDRESS}; or export {TOKEN}: whoever has it sees names of databases, roles"
            " and objects, and SQL",
        )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parsed(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    name = host_of(address)
    if not name or not port.isdecimal() or int(port) > 65535 or not host:
        raise SetupError(f"{address!r} is no address", next_step=f"write host:port, such as {ADDRESS}")
    return name, int(port)


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise SetupError(
            f"cannot listen at {host}:{port}: {error.strerror or error}",
            next_step="choose another address; port 0 takes a free one",
        ) from None
