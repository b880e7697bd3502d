"""``pgrehearse pool``: how many connections a pool should have. ``size`` measures it."""

from __future__ import annotations

import click

from pgrehearse.command.lazy import LazyGroup

__all__ = ["pool"]


@click.group(cls=LazyGroup, places={"size": ("pgrehearse.command.pool.size", "size")})
def pool() -> None:
    """Measure what a connection pool should be like.

    The database is --dsn, or what libpq's environment names, or DATABASE_URL.
    """
