"""Many databases of one environment on one server, and a project that promotes to them."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from pgrehearse.environments.declared import parse
from pgrehearse.promotion.gate_table import GATES
from pgrehearse.promotion.installing import install
from support.databases import Database, execute, mark
from support.processes import PGREHEARSE, Ended, call, clean_environment, end, start
from support.projects import write
from support.waiting import wait_until

__all__ = ["Fleet", "fleet_on"]

_WITHOUT = ["drift", "rehearsal", "policy", "backup"]


class Where(Protocol):
    """A server."""

    def dsn(self, name: str = ...) -> str: ...
    def alive(self) -> bool: ...


@dataclass
class Fleet:
    """``home`` keeps the promotions and the queue; ``deploy`` is requester, runner and owner of them all.

    A migration leaves a row in ``trace``, which is there before the first.
    """

    root: Path
    server: Where
    tag: str
    names: list[str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def environment(self) -> str:
        return f"fleet_{self.tag}"

    @property
    def deploy(self) -> str:
        return f"deploy_{self.tag}"

    @property
    def home(self) -> Database:
        return self.database(f"home_{self.tag}")

    def database(self, name: str) -> Database:
        return Database(self.server.dsn(name))

    def declare(self, rollout: str = "", *, queue: bool = True) -> None:
        """Write environments.toml and install it. ``rollout``: lines of the table of the group ``all``."""
        text = f'[[environment]]\nname = "{self.environment}"\nmark = "staging"\ndsn_env = "FLEET_DSN"\n'
        text += f"requesters = {json.dumps([self.deploy])}\nrunners = {json.dumps([self.deploy])}\n"
        text += f"without = {json.dumps(_WITHOUT)}\n" + ('queue_env = "QUEUE_DSN"\n' if queue else "")
        text += f"groups = {{ all = {json.dumps(self.names)} }}\n[environment.rollout.all]\n{rollout}\n"
        file = write(self.root, "environments.toml", text)
        install(self.home.dsn, parse(text, file, GATES)[0], 0)

    def migration(self, version: int, up: str = "", *, transaction: bool = True) -> None:
        """One that leaves a row in ``trace``, and does ``up``."""
        head = "-- migrate:up" if transaction else "-- migrate:up transaction:false"
        text = f"{head}\nINSERT INTO trace (what) VALUES ('{version}');\n{up}\n-- migrate:down\nSELECT 1;\n"
        write(self.root, f"db/migrations/{version}_step.sql", text)

    def environ(self, **more: str) -> dict[str, str]:
        """Of its commands, as ``deploy``."""
        dsn = make_conninfo(self.home.dsn, user=self.deploy)
        return clean_environment(FLEET_DSN=dsn, QUEUE_DSN=dsn) | more

    def call(self, *words: str, limit: float = 120) -> Ended:
        """``pgrehearse promote FIRST ENVIRONMENT OTHERS``, at most ``limit`` seconds."""
        command = (*PGREHEARSE, "promote", words[0], self.environment, *words[1:])
        return call(command, self.root, self.environ(), limit)

    def good(self, *words: str, limit: float = 120) -> str:
        ended = self.call(*words, limit=limit)
        assert ended.status == 0, ended.said
        return ended.out

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """Like `call`, in the background until the end of the fleet."""
        command = (*PGREHEARSE, "promote", words[0], self.environment, *words[1:])
        process = start(command, self.root, self.environ(**more))
        self.processes.append(process)
        return process

    def request(self) -> None:
        self.good("request", "--group", "all")

    def states(self) -> dict[str, str]:
        """Database -> state of its visit in the last promotion."""
        return dict(
            self.home.execute(
                "SELECT database, state FROM pgrehearse_promotion.fleet WHERE promotion ="
                " (SELECT max(id) FROM pgrehearse_promotion.promotion) ORDER BY number"
            )
        )

    def state(self) -> str:
        """Of the last promotion."""
        return str(self.home.one("SELECT state FROM pgrehearse_promotion.promotion ORDER BY id DESC LIMIT 1"))

    def traces(self, name: str) -> list[str]:
        """What was done there, in order."""
        return [what for (what,) in self.database(name).execute("SELECT what FROM trace ORDER BY at")]

    def until(self, states: Sequence[str], many: int = 1) -> None:
        """Wait until ``many`` databases are in one of ``states``."""
        wait_until(lambda: sum(s in states for s in self.states().values()) >= many, f"{many} {states}")


@contextmanager
def fleet_on(server: Where, root: Path, size: int) -> Iterator[Fleet]:
    """``size`` databases; they, their role and every process that was started go with the block."""
    made = Fleet(root, server, secrets.token_hex(3), [])
    made.names = [f"tenant_{number:02}_{made.tag}" for number in range(1, size + 1)]
    write(root, "pyproject.toml", "")
    execute(server.dsn(), f"CREATE ROLE {made.deploy} LOGIN")
    databases = [f"home_{made.tag}", *made.names]
    try:
        for name in databases:
            template = made.names[0] if name in made.names[1:] else "template0"
            execute(server.dsn(), f"CREATE DATABASE {name} OWNER {made.deploy} TEMPLATE {template}")
            if template == "template0":
                there = made.database(name)
                there.execute("CREATE TABLE trace (what text, at timestamptz DEFAULT clock_timestamp())")
                there.execute(f"ALTER TABLE trace OWNER TO {made.deploy}")
            mark(server.dsn(name), "staging")
        yield made
    finally:
        for process in made.processes:
            end(process)
        if server.alive():
            for name in databases:
                execute(server.dsn(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            groups = [f"pgrehearse_{made.environment}_{word}" for word in _GROUPS]
            for role in (*groups, made.deploy):
                execute(server.dsn(), SQL("DROP ROLE IF EXISTS {}").format(Identifier(role)).as_string())


_GROUPS = ("requester", "approver", "runner", "viewer", "dashboard", "owner")
