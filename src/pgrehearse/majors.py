"""The PostgreSQL majors this program knows, and what becomes of a server of another one."""

from __future__ import annotations

import re

from pgrehearse.errors import SetupError

__all__ = [
    "PREVIEW",
    "SUPPORTED",
    "known",
    "label",
    "not_too_old",
    "number",
    "outlived",
    "said",
    "untried",
    "written",
]

SUPPORTED = (15, 16, 17, 18, 19)
#: Majors tried before their release, and the version that was. Not everybody can get servers of them, so
#: ``all`` means them only where one is found. Whoever measures on the release removes the line.
PREVIEW = {19: "19rc1"}


def known(major: int) -> None:
    """Raise SetupError for a major of which no server of ours can be had: an option's, or a database's."""
    choose = f"choose one of {', '.join(map(str, SUPPORTED))}"
    if major > max(SUPPORTED):
        raise SetupError(
            f"PostgreSQL {major} is {_newer()}: no server of it can be started to compare with",
            next_step=f"take a newer pgrehearse; where no database of that major is meant, {choose}",
        )
    if major not in SUPPORTED:
        raise SetupError(
            f"PostgreSQL {major} is not supported",
            next_step=choose,
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


def label(major: int | str) -> str:
    """How a major is called beside what was measured on it: ``18``; ``19rc1`` where it was no release."""
    return PREVIEW.get(int(major), str(major))


def number(version: str) -> int:
    """The major of a version: of ``18.6`` and of ``19rc1``."""
    return int(re.split(r"\D", version, maxsplit=1)[0])


def outlived(recorded: str, version: str) -> list[str]:
    """What is wrong with evidence of ``recorded`` seen on ``version``: it is of a preview, this a release."""
    if not _is_release(version) or _is_release(recorded):
        return []
    return [f"recorded on PostgreSQL {recorded}, before its release; {version} is here"]


def _is_release(version: str) -> bool:
    return not re.match(r"\d+(?:devel|alpha|beta|rc)", version)


def said(version: str) -> str:
    """A server's version, with a note if nobody could try it: it is newer than this release."""
    return version + (f", {_newer()}" if untried(version) else "")


def untried(version: str) -> bool:
    """Whether it is newer than this release was tried with."""
    return number(version) > max(SUPPORTED)


def _newer() -> str:
    return f"newer than this release was tried with ({min(SUPPORTED)} to {max(SUPPORTED)})"
