"""Measure one statement on a prepared database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from pgrehearse.errors import DocumentError
from pgrehearse.execution.maker import Maker
from pgrehearse.measurement.statement import nontransactional, transactional
from pgrehearse.measurement.statement.client import Client, Clones
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.servers.base import Server
from pgrehearse.text.statement import classify

__all__ = ["apply", "measure"]


def measure(
    server: Server, template: str, statement: str, *, setup: Sequence[str] = (), maker: Maker | None = None
) -> Facts:
    """Measure ``statement`` on clones of ``template``, which are dropped afterwards.

    Args:
        server: a disposable server; the user must be a superuser or own every table.
        template: a database nobody is connected to. It is never written to.
        statement: one statement.
        setup: statements that are run before it, each by itself. SET holds for the measured one too.
        maker: makes the clones, where there is one already.

    Raises:
        DocumentError: a statement of ``setup`` fails; the statement acts beyond its database (such as
            CREATE DATABASE or ALTER SYSTEM), copies through the client, or takes too long.
        SetupError: ``template`` cannot be cloned.
    """
    started = time.monotonic()
    kind = classify(statement)
    if kind.outside:
        raise DocumentError(
            f"{kind.called} acts beyond its database, so it is not measured",
            next_step="leave it out of the measurement",
        )
    if kind.control is not None:
        return Facts()
    settings = [text for text in setup if classify(text).settings]
    with Clones(server, template, maker) as clones:
        if len(settings) < len(setup):
            clones.template = clones.create()
            apply(server, clones.template, setup)
        facts = transactional.observe(clones, statement, settings)
        if isinstance(facts, transactional.StatementRefused):
            facts = nontransactional.observe(clones, statement, settings, facts)
    return replace(facts, seconds=time.monotonic() - started)


def apply(server: Server, database: str, statements: Sequence[str]) -> None:
    """Run ``statements`` on ``database``, each by itself. Raises DocumentError for the first that fails."""
    with Client(server.dsn(database)) as client:
        for text in statements:
            if client.run(text):
                raise DocumentError(
                    f"a statement before the measured one failed: {client.error}",
                    next_step="mend it: what is measured depends on it",
                )
