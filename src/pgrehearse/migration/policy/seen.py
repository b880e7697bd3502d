"""What a disposable database showed of one file: its statements measured, and its states read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pgrehearse.measurement import made_rows
from pgrehearse.measurement.statement import relations as catalogs
from pgrehearse.measurement.statement.client import Client
from pgrehearse.measurement.statement.relations import Catalog
from pgrehearse.measurement.xray import Xray, xray
from pgrehearse.measurement.xray_rows import Row
from pgrehearse.measurement.xray_steps import FileStatement, steps
from pgrehearse.migration.policy import comments, interface
from pgrehearse.migration.policy.judged_file import File, Written
from pgrehearse.migration.policy.playback import Failed, Filled, Playback
from pgrehearse.migration.policy.text_checks import timeouts
from pgrehearse.text.statement import classify

__all__ = ["Seen", "look", "worth"]

#: An error about rows: a NULL where none may be, a text that is no JSON, a check of its own that raises.
_OF_ROWS = re.compile(r"\((?:21|22|23|44|P0)\w{3}\)$")


@dataclass(frozen=True)
class Seen:
    """One file, as a database showed it.

    Attributes:
        rows: its statements that are worth it (see `worth`), measured.
        known, tables: relations and tables that were there before it.
        empty, made: tables without a row, and those whose rows were made here.
        interfaces, objects: the states before it and after each of its statements.
        end: the objects it leaves, with their comments.
        failed: the statement that was refused, if one was.
        notes: what was left out, or taken for granted.
        of_all: whether the rows came from all migrations, later ones included.
    """

    rows: tuple[Row, ...]
    known: frozenset[str]
    tables: frozenset[str]
    empty: frozenset[str]
    made: frozenset[str]
    interfaces: tuple[tuple[Written | None, interface.Interface], ...]
    objects: tuple[tuple[Written | None, comments.Objects], ...]
    end: comments.Objects
    failed: Failed | None
    notes: tuple[str, ...]
    of_all: bool = False


def worth(step: FileStatement) -> bool:
    """COMMENT ON and timeouts keep nobody waiting (the guide on comments proves it), and are many."""
    return not classify(step.statement).begins("comment", "on") and not timeouts(step.statement)


def look(stage: Playback, file: File) -> Seen:
    """Measure ``file`` on the state ``stage`` is in, and apply it there."""
    todo = [step for step in steps(file.migration.path) if worth(step)]
    rows: tuple[Row, ...] = ()
    known = tables = empty = made = frozenset[str]()
    of_all = False
    if todo:
        found, before, filled = _with_rows(stage, file, todo)
        relations = before.relations.values()
        rows, of_all = found.rows, filled.of_all
        known = frozenset(relation.name for relation in relations) | found.known
        tables = frozenset(relation.name for relation in relations if relation.is_readable)
        touched = {table for row in rows if row.facts for table in row.facts.locks}
        empty, made = frozenset(touched & {*found.empty}), frozenset(touched & {*filled.made})
    failed, interfaces, objects = _walk(stage, file)
    with stage.client() as client:
        end = comments.read(client)
    # All of them: what the dump lacks is said of each file, also by who recalls it and loads no dump.
    notes = tuple(stage.notes)
    return Seen(
        rows, known, tables, empty, made, tuple(interfaces), tuple(objects), end, failed, notes, of_all
    )


def _with_rows(stage: Playback, file: File, todo: Sequence[FileStatement]) -> tuple[Xray, Catalog, Filled]:
    """Measure ``todo`` with rows. Where those that were made break a rule of the file, with plainer ones."""
    known = made_rows.constants(file.migration.up.sql)
    plainer = (known, True, made_rows.NULLS), ((), True, 0), ((), True, 1), ((), False, 0)
    for words, made, nulls in plainer:  # NULL breaks hardly a rule, and is read like any other row
        filled = stage.filled(words, made=made, nulls=nulls)
        try:
            with Client(stage.server.dsn(filled.name)) as client:
                before = catalogs.read(client)
            found = xray(
                stage.server,
                filled.name,
                todo,
                repeated=stage.roles.repeated,
                settings=stage.settings,
                used_up=True,
            )
        finally:
            stage.drop(filled.name)
        if not filled.made or not any(_OF_ROWS.search(row.error) for row in found.rows):
            break
    return found, before, filled


def _walk(
    stage: Playback, file: File
) -> tuple[
    Failed | None,
    list[tuple[Written | None, interface.Interface]],
    list[tuple[Written | None, comments.Objects]],
]:
    """Apply ``file`` and look at the catalog after each statement."""
    interfaces: list[tuple[Written | None, interface.Interface]] = []
    objects: list[tuple[Written | None, comments.Objects]] = []

    def state(client: Client, written: Written | None) -> None:
        if written is None or classify(written.sql).verb not in ("comment", "set"):
            interfaces.append((written, interface.read(client)))
            objects.append((written, comments.read(client)))

    with stage.client() as client:
        state(client, None)
    failed = stage.apply(file, state)
    return failed, interfaces, objects
