"""``environments.toml``: the environments a change goes through, in this order, and what each asks for.

    [[environment]]
    name = "staging"
    dsn_env = "STAGING_DSN"        # the variable that holds the DSN; or service = "...", a service of libpq
    approvals = 1                  # how many persons who are not the requester
    approvers = ["dora"]           # roles of the database; likewise requesters, runners, viewers, dashboards
    roles = "shop_staging"         # begins the names of the group roles; the name, unless said
    soak = "24h"                   # how long the change has to live in the environment before
    without = ["backup"]           # gates that this environment does without
    backup = { level = "canary", age = "24h" }   # what a receipt has to prove; see `backup.levels`
    groups = { eu = ["shop_eu_1", "shop_eu_2", "service=shop-eu-3"] }
    queue_env = "QUEUE_DSN"        # the variable that leads to the queue of workers, where there are any
    rollout = { eu = { canary = 1, wave = 20 } }   # see `environments.rollouts`

No value can hold a password: a DSN is named, never written, and what is wrong is told by its key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pgrehearse.environments import rollouts
from pgrehearse.environments.names import ENVIRONMENTS, protection
from pgrehearse.environments.rollouts import Rollout
from pgrehearse.errors import SetupError

__all__ = ["MEMBERS", "Environment", "parse"]

#: Keys that list roles of the database -> the group role that they get.
MEMBERS = {
    "requesters": "requester",
    "approvers": "approver",
    "runners": "runner",
    "viewers": "viewer",
    "dashboards": "dashboard",
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
#: What each key holds: a pattern for texts, and how a value that is none is mended.
_TEXTS = {
    "name": (_NAME, "lower-case letters, digits and _, at most 31, beginning with a letter"),
    "roles": (_NAME, "lower-case letters, digits and _, at most 31, beginning with a letter"),
    "mark": (re.compile("|".join(ENVIRONMENTS)), f"one of {', '.join(ENVIRONMENTS)}"),
    "service": (re.compile(r"[\w.-]+"), "the name of a section of libpq's service file"),
    "dsn_env": (re.compile(r"[A-Za-z_]\w*", re.ASCII), "the name of an environment variable"),
    "queue_env": (re.compile(r"[A-Za-z_]\w*", re.ASCII), "the name of an environment variable"),
    "soak": (rollouts.TIME, "a time such as 30min, 24h or 7d"),
}
_DATABASE = re.compile(r"(service=)?[^\x00-\x1f:=/@\"']{1,63}")
_ROLE = re.compile(r"[^\x00-\x1f:=/@\"']{1,63}")
_KEYS = (*_TEXTS, "approvals", *MEMBERS, "without", "backup", "groups", "rollout")


@dataclass(frozen=True)
class Environment:
    """One environment as the file declares it.

    Attributes:
        mark: what every one of its databases must say of itself.
        service: libpq's service that leads to its database; empty where ``dsn_env`` says it.
        dsn_env: the variable that holds the connection string.
        approvals: how many persons have to approve.
        roles: with what the names of its group roles begin; they belong to the whole server.
        members: group role, such as approver -> roles of the database it is granted to.
        soak: how long a change must have been in the environment before.
        without: gates that are left out here.
        groups: name -> databases; of the same server, or ``service=NAME``.
        rollouts: group -> how a promotion goes over it.
        queue_env: the variable that holds the connection string of the queue; empty: no workers.
        line: where it stands in the file.
        backup_level: what a receipt of a backup has to prove; empty: what its mark asks.
        backup_age: how old that backup may be; None likewise.
    """

    name: str
    mark: str
    service: str = ""
    dsn_env: str = ""
    approvals: int = 0
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    soak: timedelta = timedelta()
    without: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    roles: str = ""
    line: int = 0
    rollouts: Mapping[str, Rollout] = field(default_factory=dict)
    queue_env: str = ""
    backup_level: str = ""
    backup_age: timedelta | None = None


def parse(text: str, file: Path, gates: Collection[str], levels: Collection[str] = ()) -> list[Environment]:
    """The environments in the order a change goes through them.

    Args:
        text: of the file.
        file: what messages call it.
        gates: the names that ``without`` may hold.
        levels: the words that ``backup`` may hold.

    Raises SetupError with the line; it repeats no value.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise SetupError(
            "not TOML", path=file, line=int(found[1]) if found else None, next_step="mend the file"
        ) from None
    reader = _Reader(text, file, gates, levels)
    for key in table:
        if key != "environment":
            raise reader.wrong(0, key, f"{key!r} is no key of this file", "write [[environment]] tables")
    given = table.get("environment", [])
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise reader.wrong(0, "environment", "this file has no [[environment]]", "write one for each")
    found_here = [reader.environment(number, one) for number, one in enumerate(given, 1)]
    _in_order(found_here, file)
    return found_here


def _in_order(found: Sequence[Environment], file: Path) -> None:
    for number, one in enumerate(found):
        before = found[:number]
        if one.name in {other.name for other in before}:
            raise SetupError(
                f"two environments are called {one.name}",
                path=file,
                line=one.line,
                next_step="give one of them another name",
            )
        if before and protection(before[-1].mark) > protection(one.mark):
            raise SetupError(
                f"{one.name} is {one.mark} and comes after {before[-1].name}, which is more protected",
                path=file,
                line=one.line,
                next_step="write the environments in the order a change goes through them, production last",
            )


class _Reader:
    """Takes the values of one file, and knows the line of each key."""

    def __init__(self, text: str, file: Path, gates: Collection[str], levels: Collection[str]) -> None:
        self.lines = text.splitlines()
        self.file = file
        self.gates = gates
        self.levels = levels

    def environment(self, number: int, given: Mapping[str, Any]) -> Environment:
        """The ``number``-th environment, counted from 1."""
        for key in given:
            if key not in _KEYS:
                secret = key in ("dsn", "url", "conninfo", "password", "host", "user")
                step = "write dsn_env or service: the file holds no connection string" if secret else ""
                raise self.wrong(
                    number, key, f"{key!r} is no key of an environment", step or f"known: {', '.join(_KEYS)}"
                )
        if "name" not in given:
            raise self.wrong(number, "", "this environment has no name", 'write name = "..."')
        texts = {key: self._text(number, key, given[key]) for key in _TEXTS if key in given}
        if ("service" in texts) == ("dsn_env" in texts):
            raise self.wrong(
                number,
                "dsn_env" if "dsn_env" in texts else "",
                "an environment has either service or dsn_env",
                'write service = "...", or dsn_env = "...", the variable that holds the DSN',
            )
        mark = texts.get("mark", texts["name"])
        if mark not in ENVIRONMENTS:
            raise self.wrong(
                number,
                "name",
                f"the name {mark} says not what the database is marked",
                f"write mark = ..., {_TEXTS['mark'][1]}",
            )
        members = {
            role: self._texts(number, key, given[key], _ROLE, "names of roles")
            for key, role in MEMBERS.items()
            if key in given
        }
        groups = self._groups(number, given.get("groups", {}))
        return Environment(
            texts["name"],
            mark,
            texts.get("service", ""),
            texts.get("dsn_env", ""),
            self._approvals(number, given.get("approvals"), mark, members),
            members,
            rollouts.span(texts.get("soak", "0s")),
            self._without(number, given.get("without", [])),
            groups,
            texts.get("roles", texts["name"]),
            self._line(number, ""),
            self._rollouts(number, given.get("rollout", {}), groups),
            texts.get("queue_env", ""),
            *self._backup(number, given.get("backup", {})),
        )

    def wrong(self, number: int, key: str, message: str, next_step: str) -> SetupError:
        """The error about ``key`` of the ``number``-th environment."""
        return SetupError(message, path=self.file, line=self._line(number, key) or None, next_step=next_step)

    def _text(self, number: int, key: str, value: object) -> str:
        pattern, what = _TEXTS[key]
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise self.wrong(number, key, f"{key} is not {what}", f"write {key} = that; no DSN, no password")
        return value

    def _texts(
        self, number: int, key: str, value: object, pattern: re.Pattern[str], what: str
    ) -> tuple[str, ...]:
        good = isinstance(value, list) and all(isinstance(v, str) and pattern.fullmatch(v) for v in value)
        if not good or len(set(value)) != len(value):  # type: ignore[arg-type, call-overload]
            raise self.wrong(number, key, f"{key} is no list of {what}, each once", f'write {key} = ["..."]')
        return tuple(value)  # type: ignore[arg-type]

    def _approvals(self, number: int, value: object, mark: str, members: Mapping[str, Sequence[str]]) -> int:
        count = value if value is not None else 1 if mark == ENVIRONMENTS[-1] else 0
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 9:
            raise self.wrong(number, "approvals", "approvals is no number from 0 to 9", "write approvals = 1")
        if count == 0 and mark == ENVIRONMENTS[-1]:
            raise self.wrong(
                number, "approvals", "production without an approval", "write approvals = 1, or more"
            )
        if "approver" in members and len(members["approver"]) < count:
            raise self.wrong(
                number,
                "approvals",
                f"{count} approvals, and {len(members['approver'])} approvers who could give them",
                "name more approvers, or ask for fewer approvals",
            )
        return count

    def _without(self, number: int, value: object) -> tuple[str, ...]:
        found = self._texts(number, "without", value, re.compile("[a-z-]+"), "names of gates")
        for name in found:
            if name not in self.gates:
                raise self.wrong(
                    number, "without", f"no gate is called {name!r}", f"known: {', '.join(self.gates)}"
                )
        return found

    def _backup(self, number: int, value: object) -> tuple[str, timedelta | None]:
        if not isinstance(value, dict) or not set(value) <= {"level", "age"}:
            raise self.wrong(
                number,
                "backup",
                "backup is no table of level and age",
                'write backup = { level = "restored" }',
            )
        level, age = value.get("level", ""), value.get("age")
        if level and level not in self.levels:
            raise self.wrong(number, "backup", "no level is called so", f"known: {', '.join(self.levels)}")
        if age is not None and (not isinstance(age, str) or not rollouts.TIME.fullmatch(age)):
            raise self.wrong(number, "backup", "age is no time", 'write age = "24h", or 30min, or 7d')
        return str(level), None if age is None else rollouts.span(age)

    def _groups(self, number: int, value: object) -> Mapping[str, tuple[str, ...]]:
        if not isinstance(value, dict) or not all(_NAME.fullmatch(name) for name in value):
            raise self.wrong(number, "groups", "groups is no table of named lists", 'write eu = ["shop_eu"]')
        return {name: self._texts(number, name, one, _DATABASE, "databases") for name, one in value.items()}

    def _rollouts(self, number: int, value: object, groups: Collection[str]) -> Mapping[str, Rollout]:
        if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
            raise self.wrong(
                number, "rollout", "rollout is no table of tables", "write [environment.rollout.GROUP]"
            )
        found = {}
        for group, one in value.items():
            if group not in groups:
                raise self.wrong(
                    number, "rollout", f"a roll-out is for no group: {group!r}", f"known: {', '.join(groups)}"
                )
            try:
                found[group] = rollouts.read(one)
            except ValueError as error:
                key, said = error.args
                raise self.wrong(number, key, f"roll-out of {group}: {said}", "see the reference") from None
        return found

    def _line(self, number: int, key: str) -> int:
        """The line of ``key`` in the ``number``-th environment; of its head where it has none."""
        heads = 0
        head = 0
        for line, text in enumerate(self.lines, 1):
            if re.match(r"\s*\[\[\s*environment\s*\]\]", text):
                heads += 1
                head = line if heads == number else head
            elif (
                heads == number
                and key
                and re.match(rf"""\s*(\[environment\.)?["']?{re.escape(key)}\b""", text)
            ):
                return line
        return head
