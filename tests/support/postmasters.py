"""Where a server of ours lives, and its process."""

from __future__ import annotations

from pathlib import Path

from pgrehearse.servers import Server

__all__ = ["postmaster", "socket_dir"]


def socket_dir(server: Server) -> Path:
    """The directory with the server's socket, data and log."""
    return Path(server.env("postgres")["PGHOST"])


def postmaster(directory: Path) -> int:
    """The process id of the server in that directory."""
    return int((directory / "data" / "postmaster.pid").read_text("utf-8").split()[0])
