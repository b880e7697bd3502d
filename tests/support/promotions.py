"""A database of an environment with its people; roles and database go with the block."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgrehearse.environments.declared import Environment
from pgrehearse.promotion import audit
from pgrehearse.promotion.installing import Installed, install
from pgrehearse.promotion.store import LOCK
from pgrehearse.servers import Server
from support.databases import execute, fresh, name_of

__all__ = ["ITEMS", "PEOPLE", "Stage", "approved", "call", "refusal", "refused", "staged", "trail"]

#: Who is there. The installer is no superuser; the runner owns the database, as who migrates does.
PEOPLE = ("installer", "rita", "dora", "dan", "ron", "vic", "nora")
ITEMS = [
    {"version": "1", "name": "1_first", "sha256": "a" * 64},
    {"version": "2", "name": "2_second", "sha256": "b" * 64},
]


@dataclass(frozen=True)
class Stage:
    """An installed database. People are ``rita`` (requester), ``dora`` and ``dan`` (approvers), ``ron``
    (runner), ``vic`` (viewer) and ``nora``, who is nothing."""

    server: Server
    dsn: str
    tag: str
    environment: Environment

    def who(self, person: str) -> str:
        """The role of ``person``."""
        return f"{person}_{self.tag}"

    def as_(self, person: str) -> str:
        """The connection string by which ``person`` connects; ``postgres`` is the superuser."""
        return self.dsn if person == "postgres" else make_conninfo(self.dsn, user=self.who(person))

    def group(self, word: str) -> str:
        return f"pgrehearse_{self.environment.name}_{word}"

    def ask(self, person: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """One statement in a session of ``person``."""
        with psycopg.connect(self.as_(person), autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def install(self) -> Installed:
        return install(self.as_("installer"), self.environment, 0)

    def request(self, items: Sequence[dict[str, str]] = ITEMS, person: str = "rita") -> tuple[int, str]:
        """A promotion, by number and hash of its plan."""
        number = self.ask(person, call("request"), psycopg.types.json.Jsonb(items), ["shop"], "")[0][0]
        return number, self.hash(number)

    def hash(self, number: int) -> str:
        found = self.ask("vic", "SELECT plan_hash FROM pgrehearse_promotion.promotion WHERE id = %s", number)
        return str(found[0][0])

    def approve(self, person: str, number: int, plan: str | None = None) -> str:
        return str(self.ask(person, call("approve"), number, plan or self.hash(number))[0][0])

    def state(self, number: int) -> str:
        found = self.ask("vic", "SELECT state FROM pgrehearse_promotion.promotion WHERE id = %s", number)
        return str(found[0][0])

    def gates(self, **red: bool) -> psycopg.types.json.Jsonb:
        """All green, but those named false."""
        names = self.ask("vic", "SELECT gates FROM pgrehearse_promotion.setting")[0][0]
        return psycopg.types.json.Jsonb(
            [{"gate": name, "green": red.get(name, True), "evidence": "said so"} for name in names]
        )

    @contextmanager
    def applying(self, person: str = "ron") -> Iterator[psycopg.Connection[Any]]:
        """A session of ``person`` that holds the lock of apply."""
        with psycopg.connect(self.as_(person), autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s, %s)", LOCK)
            yield connection


_PARAMETERS = {"request": 3, "approve": 2, "start": 3, "step": 5, "stop": 2, "finish": 1, "cancel": 2}


def call(function: str) -> str:
    """A call of a function of the state machine, with placeholders."""
    return f"SELECT pgrehearse_promotion.{function}({', '.join(['%s'] * _PARAMETERS[function])})"


def refusal(error: psycopg.Error) -> str:
    """SQLSTATE and text of what PostgreSQL refuses."""
    return f"{error.sqlstate} {error.diag.message_primary}"


def refused(act: Callable[[], object]) -> str:
    """`refusal` of what ``act`` raises."""
    with pytest.raises(psycopg.Error) as caught:
        act()
    return refusal(caught.value)


def trail(stage: Stage) -> audit.Trail:
    """As a viewer reads it."""
    with psycopg.connect(stage.as_("vic"), autocommit=True) as connection:
        return audit.read(connection)


def approved(stage: Stage) -> tuple[int, str]:
    """A promotion that waits for its runner, by number and hash of its plan."""
    number, plan = stage.request()
    assert stage.approve("dora", number) == "approved"
    return number, plan


@contextmanager
def staged(server: Server, *, approvals: int = 1, installed: bool = True) -> Iterator[Stage]:
    """A fresh database, marked production, with people; promotion is installed unless not wanted."""
    tag = secrets.token_hex(3)
    environment = Environment(
        f"e{tag}",
        "production",
        service="none",
        approvals=approvals,
        members={
            "requester": (f"rita_{tag}",),
            "approver": (f"dora_{tag}", f"dan_{tag}"),
            "runner": (f"ron_{tag}",),
            "viewer": (f"vic_{tag}",),
        },
        without=("drift", "rehearsal", "policy", "backup"),
    )
    for person in PEOPLE:
        rights = "CREATEROLE" if person == "installer" else ""
        execute(server.dsn(), f"CREATE ROLE {person}_{tag} LOGIN {rights}")
    try:
        with fresh(server, "production") as dsn:
            made = Stage(server, dsn, tag, environment)
            name = name_of(dsn)
            execute(dsn, f'ALTER DATABASE "{name}" OWNER TO ron_{tag}')
            execute(dsn, f'GRANT CREATE ON DATABASE "{name}" TO installer_{tag}')
            if installed:
                made.install()
            yield made
    finally:
        if server.alive():
            _drop_roles(server, tag)


def _drop_roles(server: Server, tag: str) -> None:
    found = execute(
        server.dsn(),
        f"SELECT quote_ident(rolname) FROM pg_roles WHERE rolname LIKE '%\\_{tag}' OR rolname LIKE"
        f" 'pgrehearse\\_e{tag}\\_%' ORDER BY rolname LIKE 'pgrehearse%' DESC",
    )
    for (name,) in found:
        execute(server.dsn(), f"DROP ROLE {name}")
