"""Carries out the up or the down part of one migration, and resumes it where it was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from pgrehearse.errors import ExpectationError, PgRehearseError
from pgrehearse.migration.runner import exclusive
from pgrehearse.migration.runner.attempt import Earlier, Link, Work
from pgrehearse.migration.runner.ledger import Cost, Ledger
from pgrehearse.migration.runner.unseen import must_be_mended
from pgrehearse.text.migration_files import Migration, statements
from pgrehearse.text.migration_grammar import Section
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import Statement

__all__ = ["Runner", "statements"]


@dataclass(frozen=True)
class Runner:
    """Carries out sections on the connection of ``link``."""

    link: Link

    @property
    def ledger(self) -> Ledger:
        return self.link.ledger

    def run(self, migration: Migration, direction: str) -> list[Cost]:
        """Apply or undo ``migration``. Raises ExpectationError: a statement failed, what is left is said."""
        section = migration.up if direction == "up" else migration.down
        assert section is not None
        todo = statements(migration, section)
        exclusive.reset(self.link.connection)
        earlier = self._earlier(migration, section, direction, todo)
        attempt = self.link.ledger.begin(migration, direction)
        work = Work(self.link, migration, section, direction, attempt, todo, earlier)
        try:
            if section.transaction:
                work.one_transaction()
            else:
                work.step_by_step()
        except psycopg.Error as error:
            raise work.failed(error) from None
        except PgRehearseError as error:
            work.record("failed", error.message)
            raise work.placed(error) from None
        except KeyboardInterrupt:
            work.record("interrupted", "by the operator")
            raise
        return [cost for _, cost in sorted(work.costs.items())]

    def _earlier(
        self, migration: Migration, section: Section, direction: str, todo: Sequence[Statement]
    ) -> Earlier:
        """What unfinished attempts did and began; nothing of a section in one transaction."""
        earlier = Earlier()
        if section.transaction:
            return earlier
        attempts = self.link.ledger.unfinished(migration, direction)
        must_be_mended(attempts, migration, len(todo))
        for attempt in attempts:
            for cost in attempt.statements:
                (earlier.done if cost.outcome == "done" else earlier.begun)[cost.number] = cost
        for number, cost in earlier.done.items():
            if number > len(todo) or redacted(todo[number - 1].sql) != cost.sql:
                raise ExpectationError(
                    f"refused: an interrupted run did statement {number}, and the file has another now",
                    path=migration.path,
                    line=cost.line,
                    next_step=f"put it back: {' '.join(cost.sql.split())[:100]}",
                )
        return earlier
