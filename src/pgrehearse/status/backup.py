"""Whether a backup of the environment was proven to be restorable."""

from __future__ import annotations

from dataclasses import dataclass

from pgrehearse.findings import Finding
from pgrehearse.promotion.rules import required
from pgrehearse.status.look import Look, Unreadable

__all__ = ["Backup", "read"]


@dataclass(frozen=True)
class Backup:
    """``asked``: whether the environments file asks for one."""

    asked: bool

    @property
    def said(self) -> str:
        return "not asked for"

    @property
    def findings(self) -> list[Finding]:
        return []


def read(look: Look) -> Backup:
    """Whether one is there; none is asked for in the first environment, which nothing is promoted to.

    Raises Unreadable: nobody can say.
    """
    if "backup" not in required(look.environment, look.position) or look.position == 0:
        return Backup(asked=False)
    raise Unreadable("not configured", 'say that it does without: without = ["backup"] in environments.toml')
