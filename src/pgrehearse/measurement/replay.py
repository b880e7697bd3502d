"""The databases that the measured cells of a document find: its earlier cells, replayed.

A replay begins where the one before ended, on a copy of its database, when no session of the document held
anything there that a copy lacks. Otherwise it begins with the first cell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass

from psycopg.pq import ExecStatus

from pgrehearse.errors import ExpectationError, PgRehearseError
from pgrehearse.execution import folders
from pgrehearse.execution.databases import Databases
from pgrehearse.execution.executor import Executor
from pgrehearse.execution.folders import Held
from pgrehearse.execution.rehearser import Fresh, Rehearser, run_cells
from pgrehearse.execution.session import Message, Session
from pgrehearse.findings import Finding
from pgrehearse.text.document import Cell, Document
from pgrehearse.text.variables import quote_literal

__all__ = ["Replay"]

#: Commands that reach a database, and one that does not reach that of the document unless told to.
_COMMAND = re.compile(r"[^\w]*(?:pgrehearse|psql|pg_\w+|createdb|dropdb|python\d?|dbmate|alembic|npx|make)\b")
_LINT = re.compile(r"\bpgrehearse(?: db)? lint\b(?![^\n]*--dsn)")
#: A cell with one of these words may leave what neither a copy of the database holds nor `_STATE` shows:
#: what a session remembers, counters of the statistics system, and what belongs to the database as a whole.
_NOT_COPIED = re.compile(
    r"\b(?:currval|lastval|setseed|set_config|load)\b|\bset\s+(?:session\s+|local\s+)?[\w\"]+\s*\."
    r"|\bpg_stat(?:io)?_(?:all|sys|user|get|database|reset)|\bpg_stat_(?:wal|io|bgwriter|checkpointer)\b"
    r"|\b(?:alter|create|drop|on)\s+database\b|pgdatabase|\b(?:createdb|dropdb)\b|\benvironment\s+set\b"
    r"|\bsubscription\b|replication_slot|\bprepare\s+transaction\b",
    re.I,
)
#: Whether the session holds nothing but what follows: its settings, and the names of its prepared statements
#: and temporary relations, functions and types.
_STATE = b"""
SELECT current_user = session_user
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_cursors)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_listening_channels())
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks
                        WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'advisory')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                        WHERE refclassid = 'pg_catalog.pg_namespace'::regclass
                          AND refobjid = own.temp
                          AND classid NOT IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_proc'::regclass,
                                              'pg_catalog.pg_type'::regclass)),
       (SELECT pg_catalog.json_object_agg(name, pg_catalog.current_setting(name))
          FROM pg_catalog.pg_settings WHERE source = 'session'),
       (SELECT pg_catalog.json_agg(name)
          FROM (SELECT name FROM pg_catalog.pg_prepared_statements
                UNION SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = own.temp
                UNION SELECT proname FROM pg_catalog.pg_proc WHERE pronamespace = own.temp
                UNION SELECT typname FROM pg_catalog.pg_type WHERE typnamespace = own.temp) AS known (name))
  FROM pg_catalog.pg_my_temp_schema() AS own (temp)
"""
_OTHERS = """
SELECT FROM pg_catalog.pg_stat_activity
 WHERE datname = pg_catalog.current_database() AND backend_type = 'client backend' AND pid <> ALL ('{%s}')
"""


@dataclass(frozen=True)
class _Point:
    """Where a replay can begin: before the cell at ``position``, on a copy of ``database``.

    ``sessions`` holds the settings of each open session; ``folder`` is that of the bash cells.
    """

    position: int
    databases: Databases
    database: str
    sessions: dict[str, dict[str, str]]
    folder: Held


class Replay:
    """Replays the cells of ``document`` before each of the cells ``wanted``, positions in its order."""

    def __init__(
        self, rehearser: Rehearser, document: Document, major: int | None, wanted: Sequence[int]
    ) -> None:
        self._rehearser = rehearser
        self._document = document
        self._major = major
        self._order = document.in_order()
        self._last = max(wanted, default=0)
        self._point: _Point | None = None
        key = document.path, document.text, rehearser.servers.get(major).major
        seen = rehearser.bash.get(key, {})  # when the document was rehearsed just before
        loud = {index: result.folder for index, result in seen.items() if not result.quiet}
        #: Bash cells that change nothing on the server are left out; the others find their folder laid out.
        self._quiet = set(seen) - set(loud) if None not in loud.values() else set()
        self._folders = loud if self._quiet else {}

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(PgRehearseError):
            self._move(None)

    @contextmanager
    def before(self, position: int) -> Iterator[Fresh]:
        """The database that the cell at ``position`` finds, with nobody connected.

        What the cell's own session has in an open transaction is committed: the cell builds on it.
        Raises ExpectationError when an earlier cell is red.
        """
        with ExitStack() as stack:
            point = self._nearest(position)
            fresh = stack.enter_context(self._begin(point))
            red = self._replay(fresh, position, point)
            if red is not None and point is not None:  # it needed more than the copy had
                self._move(None)
                fresh = stack.enter_context(self._begin(None))
                red = self._replay(fresh, position, None)
            if red is not None:
                raise ExpectationError(
                    f"cannot measure: {red.message}",
                    path=self._document.path,
                    line=red.line,
                    next_step="rehearse the document first: pgrehearse test",
                )
            yield fresh

    def _nearest(self, position: int) -> _Point | None:
        """Where the replay up to ``position`` can begin; None: with the first cell."""
        point = self._point
        if point is None or not _bash(self._wanted(position)):
            return point
        # Reached without the bash cells that are wanted now?
        return point if self._quiet or _bash(self._wanted(point.position)) else None

    def _wanted(self, position: int) -> Sequence[Cell]:
        """The cells before ``position`` that the state there depends on."""
        cells = self._order[:position]
        if self._quiet:
            return [cell for cell in cells if cell.index not in self._quiet]
        return _relevant(cells)

    def _begin(self, point: _Point | None) -> AbstractContextManager[Fresh]:
        return self._rehearser.fresh(self._document, self._major, point.database if point else None)

    def _replay(self, fresh: Fresh, position: int, point: _Point | None) -> Finding | None:
        """Run the cells from ``point`` to ``position``, and keep where they led; what one did wrong."""
        done = self._order[: point.position] if point is not None else []
        cells = [cell for cell in self._wanted(position) if cell not in done]
        with fresh.executor(self._document, compare=False) as executor:
            if point is not None:
                _make_again(executor, point)
            for result in run_cells(executor, self._laid_out(executor, cells), cells):
                if _red(result.failure):
                    return result.failure
            held = self._held(executor, position)
            folder: Held | None = {}
            if held is not None and _bash(self._order):
                folder = folders.hold(executor.bash.folder())
            own = executor.sessions.get(self._order[position].options.session)
            if own is not None and own.finished and own.in_transaction:
                own.run([Message("COMMIT", 1)])
        if held is not None and folder is not None:
            name = fresh.databases.maker.create("replay", fresh.name)
            self._move(_Point(position, fresh.databases, name, held, folder))
        return None

    def _laid_out(self, executor: Executor, cells: Sequence[Cell]) -> Iterator[Cell]:
        for cell in cells:
            if (folder := self._folders.get(cell.index)) is not None:
                folders.lay_out(folder, executor.bash.folder())
            yield cell

    def _held(self, executor: Executor, position: int) -> dict[str, dict[str, str]] | None:
        """The settings of every session; None when the cells to come may miss what else one of them holds."""
        before, after = self._order[:position], self._order[position : self._last]
        python = [any(cell.language == "python" for cell in cells) for cells in (before, after)]
        if not after or all(python) or any(_NOT_COPIED.search(cell.source) for cell in before):
            return None
        if python[0] and _others(executor):
            return None
        found: dict[str, dict[str, str]] = {}
        for name, session in executor.sessions.items():
            held = _state(session)
            its_own = [cell for cell in after if cell.language == "sql" and cell.options.session == name]
            if held is None or any(_names(known, cell) for known in held[1] for cell in its_own):
                return None
            found[name] = held[0]
        return found

    def _move(self, point: _Point | None) -> None:
        """Begin at ``point`` from now on; the database of the point before is dropped."""
        earlier, self._point = self._point, point
        if earlier is not None:
            earlier.databases.drop(earlier.database)


def _relevant(cells: Sequence[Cell]) -> Sequence[Cell]:
    """``cells`` without the bash cells, if all of those edit files and lint: the database stays as it is.

    A page about a linter has dozens, and would replay them for every statement it measures.
    """
    bash = [cell for cell in cells if cell.language == "bash"]
    if any(_COMMAND.match(word) for cell in bash for word in _LINT.sub("", cell.source).split()):
        return cells
    return [cell for cell in cells if cell.language != "bash"]


def _bash(cells: Sequence[Cell]) -> bool:
    return any(cell.language == "bash" for cell in cells)


def _red(failure: Finding | None) -> bool:
    """The end of a replay may come while a statement waits: its cell is then no failure."""
    return failure is not None and "the document ends while" not in failure.message


def _state(session: Session) -> tuple[dict[str, str], list[str]] | None:
    """What the session has set, and the names that only it knows; None when closing it would lose more."""
    if not session.finished or session.in_transaction or (session.error is not None and session.error.lost):
        return None
    result = session.pgconn.exec_(_STATE)
    if result.status != ExecStatus.TUPLES_OK or result.get_value(0, 0) != b"t":
        return None
    return json.loads(result.get_value(0, 1) or b"{}"), json.loads(result.get_value(0, 2) or b"[]")


def _names(name: str, cell: Cell) -> bool:
    """Whether ``cell`` mentions ``name``."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", cell.source, re.I) is not None


def _others(executor: Executor) -> bool:
    """Whether anybody but the executor is connected to its database, such as a Python cell."""
    asked = executor.session("main").pgconn.exec_((_OTHERS % ",".join(map(str, executor.pids))).encode())
    return asked.ntuples > 0


def _make_again(executor: Executor, point: _Point) -> None:
    """Open the sessions of ``point`` with what they had set, and put the folder of the bash cells back."""
    for name, settings in point.sessions.items():
        session = executor.session(name)
        if settings:
            values = (f"({quote_literal(key)}, {quote_literal(held)})" for key, held in settings.items())
            listed = ", ".join(values)
            again = "SELECT pg_catalog.set_config(name, held, false) FROM (VALUES {}) AS s (name, held)"
            session.run([Message(again.format(listed), 1)])
    if point.folder:
        folders.lay_out(point.folder, executor.bash.folder())
