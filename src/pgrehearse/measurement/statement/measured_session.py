"""A session on one database whose statements are measured one after another, where they stand.

Each may stand in a transaction of its own, which is then committed, or in one that stays open. What a session
holds for later statements (temporary tables, prepared statements, settings) is there for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from pgrehearse.measurement.statement import observing, transactional
from pgrehearse.measurement.statement import relations as catalogs
from pgrehearse.measurement.statement.client import Client, Clones
from pgrehearse.measurement.statement.facts import Facts
from pgrehearse.measurement.statement.probing import Prober, Probes
from pgrehearse.measurement.statement.relations import Relation
from pgrehearse.text.statement import Kind, classify

__all__ = ["MeasuredSession"]

#: What SET changes that is no parameter which could be set again.
_NO_PARAMETERS = ("all", "constraints", "transaction", "characteristics")


class MeasuredSession:
    """One session on ``database``, which others look at meanwhile.

    Args:
        clones: look at it from outside.
        settings: SET statements it begins with.
    """

    def __init__(self, clones: Clones, database: str, settings: Sequence[str] = ()) -> None:
        self._clones = clones
        dsn = clones.server.dsn(database)
        with ExitStack() as stack:
            self.client = stack.enter_context(Client(dsn))
            other = stack.enter_context(Client(dsn))
            self._other = other
            observing.prepare(self.client, settings)
            self.catalog = catalogs.read(self.client)
            #: the names that relations had at the beginning, by oid
            self.first = {oid: relation.name for oid, relation in self.catalog.relations.items()}
            self._probes = Probes(other, self.catalog)
            self._prober = Prober(clones, other, self._probes)
            self._connections = stack.pop_all()

    def alone(self, statement: str, rows: str | None = None) -> Facts | None:
        """Measure ``statement`` in a transaction of its own and commit it; None: it failed, see ``client``.

        What it sets for its transaction only is set for the session: the statements after it need it.
        """
        kind = classify(statement)
        self.client.run("BEGIN")
        facts = self._measured(kind, statement, rows)
        lasting = self._lasting(kind) if facts is not None else []
        failed = self.client.sqlstate, self.client.error
        if facts is None:
            self.client.rows("ROLLBACK")
            self.client.sqlstate, self.client.error = failed
            return None
        if self.client.run("COMMIT"):
            return None
        for name, value in lasting:
            self.client.rows("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
        if kind.settings:
            observing.prepare(self.client, ())
        else:
            self._renew(facts)
        return facts

    def plainly(self, statement: str, rows: str | None = None) -> bool:
        """Run ``statement`` without measuring it; whether it succeeded."""
        if self.client.run(statement, rows):
            return False
        kind = classify(statement)
        if kind.settings:
            observing.prepare(self.client, ())
        elif kind.control is None:
            self._renew(None)
        return True

    def inside(self, statement: str, rows: str | None = None) -> Facts | None:
        """Measure ``statement`` in the open transaction; None: it failed, see ``client``.

        Of relations that were there when the transaction began. They keep the names they had then.
        """
        facts = self._measured(classify(statement), statement, rows)
        if facts is not None:
            now = catalogs.relations(self.client)
            self.catalog = replace(
                self.catalog,
                relations={
                    oid: replace(relation, filenode=now[oid].filenode)
                    for oid, relation in self.catalog.relations.items()
                    if oid in now
                },
            )
        return facts

    def close(self) -> None:
        """Nobody is connected to the database any more."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _measured(self, kind: Kind, statement: str, rows: str | None) -> Facts | None:
        if kind.settings and kind.verb in ("set", "reset"):  # SET TRANSACTION must be the first of all
            return None if self.client.run(statement) else Facts()
        return transactional.within(self._clones, self.client, self._prober, self.catalog, statement, rows)

    def _lasting(self, kind: Kind) -> list[tuple[str, str]]:
        """The settings of the transaction, with their values."""
        names = [one.name for one in kind.settings if one.local and one.name not in _NO_PARAMETERS]
        found = []
        for name in names:
            [(value,)] = self.client.rows("SELECT pg_catalog.current_setting(%s, true)", (name,))
            found += [(name, str(value))] if value is not None else []
        return found

    def _renew(self, facts: Facts | None) -> None:
        """Look at the database again after a statement: at the tables it locked; without facts, at all."""
        self.catalog = catalogs.read(self.client)
        tables: dict[int, Relation] = self.catalog.relations
        touched = {
            oid
            for oid, relation in tables.items()
            if facts is None or relation.name in facts.locks or relation.name in facts.probes
        }
        self._probes.renew(self._other, self.catalog, touched)
