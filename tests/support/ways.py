"""A way of three environments on one server, with people and a project: what a promotion travels."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.servers import Server
from support.bench import Bench
from support.databases import Database, execute, fresh, name_of
from support.processes import Ended

__all__ = ["Way", "way_on"]

MARKS = ("development", "staging", "production")
PEOPLE = ("deploy", "rita", "dora", "dan", "vic")
#: Gates that take seconds; tests about them leave them in.
SLOW = ("drift", "drift-before", "rehearsal", "policy", "smoke")


@dataclass
class Way:
    """The environments are called as their marks are, with ``tag`` behind: roles belong to the server."""

    bench: Bench
    server: Server
    tag: str
    monkeypatch: pytest.MonkeyPatch
    databases: dict[str, Database] = field(default_factory=dict)

    def who(self, person: str) -> str:
        return f"{person}_{self.tag}"

    def name(self, mark: str) -> str:
        return f"{mark}_{self.tag}"

    def variable(self, mark: str) -> str:
        return f"{mark.upper()}_{self.tag.upper()}"

    def migration(self, version: int, up: str, *, transaction: bool = True) -> None:
        """Write a migration; comment-free, so the policy is left out or finds something."""
        head = "-- migrate:up" if transaction else "-- migrate:up transaction:false"
        self.bench.write(f"db/migrations/{version}_step.sql", f"{head}\n{up}\n-- migrate:down\nSELECT 1;\n")

    def declare(self, without: tuple[str, ...] = SLOW, approvals: int = 1, **more: str) -> None:
        """Write environments.toml. ``more``: mark -> lines for that environment."""
        left_out = json.dumps([*without, "backup"])
        text = ""
        for number, mark in enumerate(MARKS):
            text += f'[[environment]]\nname = "{self.name(mark)}"\nmark = "{mark}"\n'
            text += f'dsn_env = "{self.variable(mark)}"\n'
            if number:
                text += f"requesters = {json.dumps([self.who('rita')])}\n"
                text += f"runners = {json.dumps([self.who('deploy')])}\n"
                text += f"viewers = {json.dumps([self.who('vic')])}\n"
                text += f"without = {left_out}\n"
            if mark == "production":
                text += f"approvals = {approvals}\n"
                text += f"approvers = {json.dumps([self.who('dora'), self.who('dan')])}\n"
            text += more.get(mark, "") + "\n"
        self.bench.write("environments.toml", text)

    def as_(self, person: str) -> None:
        """Connect as ``person`` from now on; ``postgres`` is the superuser."""
        user = person if person == "postgres" else self.who(person)
        for mark, database in self.databases.items():
            self.monkeypatch.setenv(self.variable(mark), make_conninfo(database.dsn, user=user))

    def call(self, person: str, *words: str) -> Ended:
        """``pgrehearse promote WORDS`` as ``person``; a mark in it becomes the environment's name."""
        self.as_(person)
        return self.bench.call("promote", *(self.name(word) if word in MARKS else word for word in words))

    def good(self, person: str, *words: str) -> str:
        """`call` that has to succeed; standard output."""
        ended = self.call(person, *words)
        assert ended.status == 0, ended.said
        return ended.out

    def install(self) -> None:
        for mark in MARKS[1:]:
            self.good("postgres", "install", mark)

    def up(self, mark: str = "development") -> None:
        """``db up`` there, past every promotion."""
        self.as_("deploy")
        dsn = make_conninfo(self.databases[mark].dsn, user=self.who("deploy"))
        words = ("--environment", "production") if mark == "production" else ()
        ended = self.bench.call("db", "up", "--dsn", dsn, *words)
        assert ended.status == 0, ended.said

    def status(self, mark: str, person: str = "vic") -> dict[str, Any]:
        """What status says of an environment."""
        value = json.loads(self.call(person, "status", mark, "--json", "--audit").out)
        found = value[self.name(mark)]
        assert isinstance(found, dict)
        return found

    def plan(self, mark: str) -> str:
        """The hash of the plan that is requested there."""
        return str(self.status(mark)["promotions"][0]["plan"])

    def state(self, mark: str) -> str:
        return str(self.status(mark)["promotions"][0]["state"])

    def to_staging(self) -> None:
        """What is in development goes to staging."""
        self.good("rita", "request", "staging")
        self.good("deploy", "apply", "staging")

    def approved(self, *people: str) -> None:
        """A promotion to production, requested and approved."""
        self.good("rita", "request", "production")
        for person in people or ("dora",):
            self.good(person, "approve", "production", "--plan", self.plan("production"))


@contextmanager
def way_on(server: Server, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """Three databases, owned by deploy, and their people; all gone after the block."""
    tag = secrets.token_hex(3)
    made = Way(bench, server, tag, monkeypatch)
    for person in PEOPLE:
        execute(server.dsn(), f"CREATE ROLE {made.who(person)} LOGIN")
    try:
        with ExitStack() as stack:
            for mark in MARKS:
                dsn = stack.enter_context(fresh(server, mark, prefix=mark))
                execute(dsn, f'ALTER DATABASE "{name_of(dsn)}" OWNER TO {made.who("deploy")}')
                made.databases[mark] = Database(dsn)
            yield made
    finally:
        if server.alive():
            found = execute(
                server.dsn(),
                f"SELECT quote_ident(rolname) FROM pg_roles WHERE rolname ~ '_{tag}(_|$)'"
                " ORDER BY rolname LIKE 'pgrehearse%' DESC",
            )
            for (name,) in found:
                execute(server.dsn(), f"DROP ROLE {name}")
