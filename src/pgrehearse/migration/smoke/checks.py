"""Tries one entry of a contract against a database, inside a transaction of the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.sql import Identifier

from pgrehearse.errors import ExpectationError
from pgrehearse.migration.smoke.contract import Directive, Entry
from pgrehearse.migration.smoke.objects import Object
from pgrehearse.migration.smoke.plans import used_indexes
from pgrehearse.migration.smoke.statements import (
    EntryOutcome,
    carry_out,
    must_be_true,
    must_return,
    said,
    text_of,
    undone,
)

__all__ = ["Checks"]

_READ_ONLY = "25006"
_ANCESTORS = """
SELECT relid::pg_catalog.regclass::pg_catalog.text
  FROM pg_catalog.pg_partition_ancestors(pg_catalog.to_regclass(%(table)s))
"""
_INDEX_NAMES = """
SELECT pg_catalog.quote_ident(c.relname)
  FROM pg_catalog.pg_constraint AS k, pg_catalog.pg_partition_ancestors(k.conindid) AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.relid
 WHERE k.conrelid = pg_catalog.to_regclass(%(table)s) AND k.conname = %(constraint)s
"""


class Checks:
    """The checks of one run.

    Args:
        connection: inside a transaction, which the caller rolls back.
        objects: what the database has.
        read_only: try only what neither writes nor needs rows.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], objects: Sequence[Object], *, read_only: bool
    ) -> None:
        self.connection = connection
        self.objects = objects
        self.read_only = read_only

    def check(self, entry: Entry) -> bool:
        """Try all directives of ``entry``; False when the database's catalogs are all that was looked at.

        Raises ExpectationError.
        """
        for directive in entry.directives:
            self._in_the_catalog(directive)
        if entry.of("uses"):
            self._uses(entry)
        if entry.of("labels"):
            self._labels(entry)
            return not self.read_only
        if len(entry.of("uses")) == len(entry.directives):
            return True
        if self.read_only and not (entry.of("returns") and entry.reads_only):
            return False
        outcome = carry_out(self.connection, entry)
        if self.read_only and outcome.error is not None and outcome.error.sqlstate == _READ_ONLY:
            return False  # a function of it writes
        self._judge(entry, outcome)
        for directive in entry.of("fires"):
            self._without_trigger(entry, directive)
        return True

    # --- the statement -------------------------------------------------------------------------------

    def _judge(self, entry: Entry, outcome: EntryOutcome) -> None:
        refuses = entry.of("refuses")
        for directive in refuses:
            self._refused(directive, outcome)
        if not refuses and outcome.error is not None:
            raise ExpectationError(f"the statement failed: {said(outcome.error)}", line=outcome.line)
        for directive in entry.of("default"):
            self._defaulted(directive, outcome)
        for directive in entry.of("returns"):
            must_return(directive.value, outcome)
        if entry.of("fires") and not (refuses or entry.of("returns") or entry.of("default")):
            must_be_true(outcome)

    def _refused(self, directive: Directive, outcome: EntryOutcome) -> None:
        error = outcome.error
        if error is None:
            if outcome.count == 0:
                raise ExpectationError(
                    "the statement found no row, so nothing could be refused",
                    next_step="write one that needs no row, such as an INSERT",
                )
            raise ExpectationError("nothing was refused")
        # PostgreSQL 18 tells a RESTRICT, 23001, from other foreign keys.
        if error.sqlstate != directive.value and (directive.value, error.sqlstate) != ("23503", "23001"):
            raise ExpectationError(f"{directive.value} was expected, and this came: {said(error)}")
        if directive.value.startswith("23"):
            found = self._named_by(error)
            if not any(o.called(directive.name, directive.table) for o in found):
                names = ", ".join(str(o) for o in found) or said(error)
                raise ExpectationError(f"another one refused the row: {names}")
            return
        diag = error.diag
        text = " ".join(
            filter(None, [diag.message_primary, diag.message_detail, diag.message_hint, diag.context])
        )
        words = " on ".join(filter(None, [directive.name, directive.table]))
        if words not in text:
            raise ExpectationError(f"the error does not say {words!r}: {said(error)}")

    def _named_by(self, error: psycopg.Error) -> list[Object]:
        """The constraints an error names; of a partition, those of its parent."""
        diag = error.diag
        relation = Identifier(diag.schema_name or "", diag.table_name or diag.datatype_name or "").as_string()
        tables = {relation, *(row[0] for row in self.connection.execute(_ANCESTORS, {"table": relation}))}
        tables |= {self._shown(table) for table in tables}
        if diag.column_name is not None:
            column = Identifier(diag.column_name).as_string()
            names = {f"{table}.{part}" for table in tables for part in (column, diag.column_name)}
        elif diag.constraint_name is not None:
            given = {"table": relation, "constraint": diag.constraint_name}
            names = {diag.constraint_name, Identifier(diag.constraint_name).as_string()}
            names |= {row[0] for row in self.connection.execute(_INDEX_NAMES, given)}
        else:  # the NOT NULL of a domain
            names = tables
        kind = "not null" if error.sqlstate == "23502" else "constraint"
        return [o for o in self.objects if o.kind == kind and o.name in names and o.table in tables]

    def _shown(self, quoted: str) -> str:
        """A table or type the way the catalog shows it: no schema where the search path has it."""
        query = (
            "SELECT coalesce(pg_catalog.to_regclass(%(n)s)::pg_catalog.text,"
            " pg_catalog.to_regtype(%(n)s)::pg_catalog.text, %(n)s)"
        )
        row = self.connection.execute(query, {"n": quoted}).fetchone()
        return str(row[0]) if row else quoted

    def _defaulted(self, directive: Directive, outcome: EntryOutcome) -> None:
        if not directive.value:
            must_be_true(outcome)
            return
        expected = self._value_of(directive.value, self._object("default", directive).mend)
        if len(outcome.rows) != 1 or len(outcome.rows[0]) != 1:
            raise ExpectationError(
                "the statement returns no single value", next_step="end it with RETURNING the column"
            )
        if outcome.rows[0][0] != expected:
            raise ExpectationError(
                f"the row got {outcome.rows[0][0]}, not {expected}",
                next_step=f"if it differs each time: `default {directive.name}`,"
                " and a statement that returns true",
            )

    def _without_trigger(self, entry: Entry, directive: Directive) -> None:
        """The counterproof: without the trigger the entry must not hold."""
        trigger = self._object("trigger", directive)
        with undone(self.connection):
            drop = f"DROP TRIGGER {trigger.name} ON {trigger.table}"
            try:
                self.connection.execute(drop.encode())
            except psycopg.Error as error:
                raise ExpectationError(
                    f"the counterproof needs the owner of {trigger.table}: {said(error)}"
                ) from None
            try:
                self._judge(entry, carry_out(self.connection, entry))
            except ExpectationError:
                return
        raise ExpectationError(
            f"the same happens without trigger {trigger.name}, so this does not show that it fires",
            next_step="write a statement whose outcome depends on the trigger",
        )

    # --- the catalog ---------------------------------------------------------------------------------

    def _in_the_catalog(self, directive: Directive) -> None:
        """What must be so on every database, rows or not."""
        if directive.word == "refuses" and directive.value.startswith("23"):
            kind = "not null" if directive.value == "23502" else "constraint"
            if directive.name:
                self._object(kind, directive)
            else:
                raise ExpectationError(
                    f"which one refuses {directive.value}?", next_step="write its name after the SQLSTATE"
                )
        elif directive.word == "uses":
            self._object("index", directive)
        elif directive.word == "fires":
            self._object("trigger", directive)
        elif directive.word == "default":
            self._default(directive)

    def _object(self, kind: str, directive: Directive) -> Object:
        named = [o for o in self.objects if o.kind == kind and o.called(directive.name, directive.table)]
        if not named:
            what = {"not null": "NOT NULL on", "default": "default of"}.get(kind, kind)
            where = f" on {directive.table}" if directive.table else ""
            raise ExpectationError(f"the database has no {what} {directive.name}{where}")
        if len({o.table for o in named}) > 1:
            tables = ", ".join(sorted(o.table for o in named))
            raise ExpectationError(
                f"{directive.name} is on {tables}", next_step="write which: on TABLE, after the name"
            )
        return named[0]

    def _default(self, directive: Directive) -> None:
        default = self._object("default", directive)
        if not directive.value:
            return
        if default.definition in ("identity", "generated"):
            raise ExpectationError(
                f"{default.name} is {default.definition}: it has no constant to compare with",
                next_step=f"write `default {default.name}` and a statement that returns true",
            )
        if directive.value == default.definition:
            return
        declared = self._value_of(default.definition, default.mend)
        expected = self._value_of(directive.value, default.mend)
        if declared != expected:
            raise ExpectationError(f"it is {default.definition}, not {directive.value}")

    def _value_of(self, expression: str, type_: str) -> str | None:
        try:
            with self.connection.transaction():
                cursor = self.connection.execute(f"SELECT (({expression})::{type_})::text".encode())
                return text_of(cursor)[0][0]
        except psycopg.Error as error:
            raise ExpectationError(f"{expression} cannot be computed: {said(error)}") from None

    def _labels(self, entry: Entry) -> None:
        directive = entry.of("labels")[0]
        have = [o.name for o in self.objects if o.kind == "label" and directive.name in (
            o.table, f"{o.schema}.{o.table}")]  # fmt: skip
        want = [part.strip().removeprefix("'").removesuffix("'") for part in directive.value.split(",")]
        gone = [label for label in want if label not in have]
        new = [label for label in have if label not in want]
        if not have:
            raise ExpectationError(f"the database has no enum {directive.name}")
        if gone:
            raise ExpectationError(f"enum {directive.name} has no label {', '.join(gone)}")
        if new:
            raise ExpectationError(
                f"enum {directive.name} has a label that is not in the contract: {', '.join(new)}",
                next_step="add it to the line, in its place",
            )
        if want != have:
            raise ExpectationError(f"the labels of {directive.name} sort in another order: {', '.join(have)}")
        for label in [] if self.read_only else want:
            outcome = carry_out(self.connection, entry, {"label": label})
            if outcome.error is not None:
                raise ExpectationError(f"label {label}: {said(outcome.error)}", line=outcome.line)
            if [row[0] for row in outcome.rows] != [label]:
                raise ExpectationError(
                    f"label {label}: the statement did not return it",
                    next_step="end it with RETURNING the column",
                )

    def _uses(self, entry: Entry) -> None:
        for directive in entry.of("uses"):
            index = self._object("index", directive)
            if index.problem:
                return  # said by the check of its state
            with undone(self.connection):
                for statement in entry.statements[:-1]:
                    self.connection.execute(statement.sql.encode())
                last = entry.statements[-1]
                try:
                    used = used_indexes(self.connection, last.sql, index)
                except psycopg.Error as error:
                    raise ExpectationError(f"no plan: {said(error)}", line=last.line) from None
            about = f". The index is for: {index.comment}" if index.comment else ""
            if not used.possible:
                raise ExpectationError(f"the query cannot use it; the plan is {used.plan}{about}")
            if not used.chosen and not self.read_only:
                raise ExpectationError(
                    f"the query does not use it; the plan is {used.plan}{about}",
                    next_step="ANALYZE the table; are there enough rows,"
                    " and is the index still the right one?",
                )
