"""Carries out the up or the down part of one migration, and resumes it where it was interrupted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from pgrehearse.errors import ExpectationError, PgRehearseError
from pgrehearse.migration.runner import exclusive
from pgrehearse.migration.runner.attempt import Attempt, Link
from pgrehearse.migration.runner.ledger import Ledger
from pgrehearse.migration.runner.unseen import must_be_mended
from pgrehearse.migration.runner.whole import Whole
from pgrehearse.migration.runner.without_transaction import Earlier, Steps
from pgrehearse.text.migration_files import Migration, Statements
from pgrehearse.text.migration_grammar import Section
from pgrehearse.text.passwords import redacted
from pgrehearse.text.split import Statement

__all__ = ["Runner", "SectionOutcome"]


@dataclass(frozen=True)
class SectionOutcome:
    """What carrying out a section took: ``seconds`` from its beginning to after its COMMIT.

    ``wal_bytes``: what the whole server wrote to its log meanwhile; ``rewritten``: tables with a new file.
    """

    seconds: float
    wal_bytes: int
    rewritten: tuple[str, ...]


@dataclass(frozen=True)
class Runner:
    """Carries out sections on the connection of ``link``."""

    link: Link

    @property
    def ledger(self) -> Ledger:
        return self.link.ledger

    def run(self, migration: Migration, direction: str, todo: Statements) -> SectionOutcome:
        """Apply or undo ``migration``, which is ``todo``.

        Raises ExpectationError: a statement failed, what is left is said.
        """
        section = migration.up if direction == "up" else migration.down
        assert section is not None
        exclusive.reset(self.link.connection)
        started = time.monotonic()
        attempt = self._attempt(migration, section, direction, todo)
        try:
            attempt.run()
        except psycopg.Error as error:
            raise attempt.failed(error) from None
        except PgRehearseError as error:
            attempt.record("failed", error.message)
            raise attempt.placed(error) from None
        except KeyboardInterrupt:
            attempt.record("interrupted", "by the operator")
            raise
        finally:
            attempt.close()
        return SectionOutcome(time.monotonic() - started, attempt.wal_bytes, tuple(sorted(attempt.rewritten)))

    def _attempt(self, migration: Migration, section: Section, direction: str, todo: Statements) -> Attempt:
        """A new attempt, recorded as begun."""
        if section.transaction:
            number = self.ledger.begin(migration, direction)
            return Whole(self.link, migration, section, direction, number, todo)
        earlier = self._earlier(migration, direction, todo)
        number = self.ledger.begin(migration, direction)
        return Steps(self.link, migration, section, direction, number, todo, earlier)

    def _earlier(self, migration: Migration, direction: str, todo: Sequence[Statement]) -> Earlier:
        """What unfinished attempts did and began."""
        earlier = Earlier()
        attempts = self.ledger.unfinished(migration, direction)
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
