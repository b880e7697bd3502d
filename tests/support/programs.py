"""Programs of others that tests run: unpacked by `make programs`, or installed on the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.servers.cache import cache_dir

__all__ = ["POOLERS", "program"]

#: PgBouncer of three Debian suites.
POOLERS = ("pgbouncer-1.18", "pgbouncer-1.24", "pgbouncer-1.26")


def program(name: str) -> Path:
    """The starter of a program such as ``pgbouncer-1.24``; skips with its name where it was not unpacked."""
    found = cache_dir() / "debian" / "bin" / name
    if not found.exists():
        pytest.skip(f"{name} is not unpacked here (make programs, on Debian)")
    return found
