"""The PostgreSQL majors this program knows, and what becomes of a server of another one."""

from __future__ import annotations

from pgrehearse.errors import SetupError

__all__ = ["SUPPORTED", "known", "not_too_old", "said", "written"]

SUPPORTED = (15, 16, 17, 18)


def known(major: int) -> None:
    """Raise SetupError for a major of which no server of ours can be had."""
    if major not in SUPPORTED:
        raise SetupError(
            f"PostgreSQL {major} is not supported",
            next_step=f"choose one of {', '.join(map(str, SUPPORTED))}",
        )


def not_too_old(where: str, major: int, version: str) -> None:
    """Raise SetupError for a server, at ``where``, that is older than those supported."""
    if major < min(SUPPORTED):
        raise SetupError(
            f"the server at {where} is PostgreSQL {version}, which is not supported",
            next_step=f"use PostgreSQL {min(SUPPORTED)} or later",
        )


def written(value: str) -> list[int | None]:
    """The majors that an option names: ``15,17``, ``all``, or nothing for the default server (None).

    Raises:
        ValueError: it names another one; the text says which are supported.
    """
    if not value:
        return [None]
    if value == "all":
        return list(SUPPORTED)
    words = list(dict.fromkeys(value.split(",")))
    wrong = next((word for word in words if word not in map(str, SUPPORTED)), None)
    if wrong is not None:
        known = ",".join(map(str, SUPPORTED))
        raise ValueError(f"{wrong!r} is no supported server major; write some of {known}, or all")
    return [int(word) for word in words]


def said(major: int, version: str) -> str:
    """A server's version in words, with a note if nobody could try it: it is newer than this release."""
    unknown = f", newer than this release was tried with ({min(SUPPORTED)} to {max(SUPPORTED)})"
    return f"PostgreSQL {version}{unknown if major > max(SUPPORTED) else ''}"
