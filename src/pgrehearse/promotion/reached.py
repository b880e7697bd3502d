"""An environment's databases: reached, and marked as the file says, or nothing is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo

from pgrehearse.environments.connection_strings import parts_of
from pgrehearse.environments.declared import Environment
from pgrehearse.environments.direct import direct
from pgrehearse.environments.target import Target, connected, look, open_target
from pgrehearse.errors import SetupError
from pgrehearse.migration.runner import exclusive

__all__ = [
    "agreed",
    "different",
    "dsn",
    "each",
    "home",
    "members",
    "named",
    "names",
    "queue",
    "reached",
    "worked_at",
]

T = TypeVar("T")

#: Databases that are looked at at a time; most of a look is waiting for the server's new process.
_AT_ONCE = 8

_FIX = "write postgresql://user@host:port/database or 'host=... dbname=...' into it"


def home(environment: Environment, *, session: bool = True) -> Target:
    """The database that keeps the promotions of ``environment``. Raises SetupError."""
    return agreed(open_target(dsn(environment), session=session), environment)


def members(environment: Environment, group: str | None, *, session: bool = True) -> list[Target]:
    """The databases a promotion goes to: those of ``group``, or the environment's own. Raises SetupError."""
    if group is None:
        return [home(environment, session=session)]
    return each(names(environment, group), lambda name: named(environment, name, session=session))


def names(environment: Environment, group: str) -> Sequence[str]:
    """What the databases of ``group`` are called. Raises SetupError: there is no such group."""
    if group not in environment.groups:
        known = ", ".join(environment.groups) or "none"
        raise SetupError(
            f"{environment.name} has no group {group!r}",
            next_step=f"there are: {known}; see environments.toml",
        )
    return environment.groups[group]


def named(environment: Environment, name: str, *, session: bool = True) -> Target:
    """The database that a group calls ``name``: on the environment's server, or ``service=NAME``."""
    return agreed(open_target(dsn(environment, name), session=session), environment)


@contextmanager
def reached(environment: Environment, name: str) -> Iterator[tuple[psycopg.Connection[Any], Target]]:
    """The database that a group calls ``name``, with the connection by which it was looked at.

    Raises SetupError.
    """
    with connected(dsn(environment, name)) as connection:
        direct(connection)
        yield connection, agreed(look(connection), environment)


@contextmanager
def worked_at(environment: Environment, name: str) -> Iterator[tuple[psycopg.Connection[Any], Target]]:
    """The database that a group calls ``name``, on the connection of a runner. Raises SetupError."""
    with connected(dsn(environment, name), application_name=exclusive.APPLICATION) as connection:
        exclusive.prepare(connection)
        yield connection, agreed(look(connection), environment)


def each(called: Sequence[str], what: Callable[[str], T]) -> list[T]:
    """``what`` of each database, several at a time, in order. Raises what the first of them raises."""
    with ThreadPoolExecutor(_AT_ONCE, "look") as threads:
        try:
            return list(threads.map(what, called))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def queue(environment: Environment) -> str:
    """The connection string of the queue of ``environment``, which names one. Raises SetupError."""
    return _variable(environment.queue_env, f"the queue of {environment.name}")


def agreed(target: Target, environment: Environment) -> Target:
    """``target``, when it is what the file says. Raises SetupError."""
    if target.environment != environment.mark:
        raise SetupError(
            f"refused: {target.database!r} is marked {target.environment}, and environments.toml says that"
            f" {environment.name} is {environment.mark}",
            next_step=f"check {_source(environment)}, then the mark: pgrehearse environment show",
        )
    return target


def different(targets: Sequence[Target], before: Target) -> None:
    """Raise SetupError when two environments are one database."""
    for target in targets:
        if (target.where, target.oid) == (before.where, before.oid):
            raise SetupError(
                f"refused: {target.database!r} is both environments, so nothing would be tried before it",
                next_step="check service and dsn_env in environments.toml",
            )


def dsn(environment: Environment, name: str = "") -> str:
    """The connection string of the database that keeps the promotions, or that a group calls ``name``.

    It may hold a password. Raises SetupError: nothing says it.
    """
    if name.startswith("service="):
        return name
    own = f"service={environment.service}" if environment.service else ""
    own = own or _variable(environment.dsn_env, environment.name)
    return make_conninfo(own, dbname=name) if name else own


def _variable(name: str, to: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SetupError(f"{name} is not set, which leads to {to}", next_step=f"export it; {_FIX}")
    parts_of(value, what=name, fix=_FIX)
    return value


def _source(environment: Environment) -> str:
    return f"service {environment.service}" if environment.service else environment.dsn_env
