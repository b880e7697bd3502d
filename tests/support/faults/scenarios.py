"""The commands that faults happen to, and what each must have done in the end: once, and nothing else.

Steps that append to the table ``trace`` show what was lost or done twice; the table is made before the run,
by nobody who is tried.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg

from pgrehearse.errors import PgRehearseError
from support.databases import Database
from support.faults.cluster import Cluster
from support.faults.runbook import RUNBOOK
from support.places import Place, place_at
from support.processes import PGREHEARSE
from support.projects import write

__all__ = ["Rollback", "Run", "Scenario", "Up"]

_ROWS = 600
_TRACE = "CREATE TABLE trace (what text, at timestamptz DEFAULT clock_timestamp())"


def _note(what: str) -> str:
    return f"INSERT INTO trace (what) VALUES ('{what}');"


#: ``touched`` counts how often a row was changed.
_MIGRATIONS: dict[int, tuple[str, str]] = {
    1: ("CREATE TABLE ground (id int);", ""),
    2: (
        f"""CREATE TABLE item (id int PRIMARY KEY, n int, touched int NOT NULL DEFAULT 0);
INSERT INTO item (id) SELECT generate_series(1, {_ROWS});
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN new.touched := old.touched + 1; RETURN new; END';
CREATE TRIGGER touch BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch();
{_note("2 up")}""",
        f"{_note('2 down')}\nDROP TABLE item;\nDROP FUNCTION touch();",
    ),
    3: (
        f"transaction:false\n{_note('3 first')}\nCREATE INDEX CONCURRENTLY item_n ON item (n);\n"
        f"{_note('3 last')}",
        f"transaction:false\n{_note('3 down first')}\nDROP INDEX CONCURRENTLY item_n;\n"
        f"{_note('3 down last')}",
    ),
    4: (
        f"""transaction:false
{_note("4 first")}
DO $$
BEGIN
    FOR low IN 0..{_ROWS - 1} BY 200 LOOP
        UPDATE item SET n = id WHERE n IS NULL AND id > low AND id <= low + 200;
        COMMIT;
    END LOOP;
END $$;
{_note("4 last")}""",
        f"UPDATE item SET n = NULL;\n{_note('4 down')}",
    ),
    5: (
        f"{_note('5 up')}\nALTER TABLE item ALTER n SET NOT NULL;",
        f"transaction:false\nALTER TABLE item ALTER n DROP NOT NULL;\n{_note('5 down')}",
    ),
    6: (
        f"transaction:false\nREINDEX INDEX CONCURRENTLY item_n;\nSET search_path = aside, public;\n"
        f"{_note('6 aside')}\nRESET search_path;\n{_note('6 here')}",
        f"transaction:false\nSET search_path = aside, public;\n{_note('6 down aside')}\nRESET search_path;\n"
        f"CREATE UNIQUE INDEX CONCURRENTLY item_again ON item (n);\nDROP INDEX CONCURRENTLY item_again;\n"
        f"{_note('6 down')}",
    ),
}

#: Runs that did not end are stopped, and gone on from; the last one holds what all of them did.
_RUNS = """
SELECT outcome, count(*)::int FROM pgrehearse.run AS r
 WHERE NOT EXISTS (SELECT FROM pgrehearse.run AS n WHERE n.continues = r.id) AND
       (outcome <> 'stopped' OR EXISTS (SELECT FROM pgrehearse.step AS s WHERE s.run = r.id))
 GROUP BY 1
"""
_STEPS = """
SELECT outcome, count(DISTINCT line)::int FROM pgrehearse.step
 WHERE run = (SELECT max(id) FROM pgrehearse.run) AND phase = 'Apply' GROUP BY 1
"""


class Scenario(ABC):
    """A command in a folder of its own, on a database of its own."""

    #: what the command may exit with when it finds another one at work
    busy = 69
    #: how many runs came to their end; it matters where each does its work anew
    runs = 1
    #: whether the requests to the database count; else what `progress` counts
    wired = True
    #: whether the time after the last progress counts as well
    goes_on = False

    def __init__(self, cluster: Cluster, folder: Path, name: str) -> None:
        self.cluster, self.folder, self.name = cluster, folder, name
        cluster.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        self.database = Database(cluster.dsn(name))
        self.prepare()

    @property
    def databases(self) -> tuple[Database, ...]:
        """Every database of the scenario."""
        return (self.database,)

    @abstractmethod
    def prepare(self) -> None:
        """Make the files and the database as they are before the command."""

    @abstractmethod
    def command(self, dsn: str) -> tuple[str, ...]:
        """The command under trial, which reaches its database by ``dsn``."""

    def wrong(self) -> list[str]:
        """What is not as an undisturbed run leaves it; empty when all is done, once."""
        try:
            return self.judged()
        except (psycopg.Error, PgRehearseError) as error:  # a table is missing, the ledger is not believed
            return [str(error)]

    @abstractmethod
    def judged(self) -> list[str]:
        """What `wrong` says; may raise where it finds nothing to judge."""

    def meanwhile(self) -> list[str]:
        """What is wrong although nobody has run the command again yet."""
        return []

    def progress(self) -> int:
        """How far the command is, where its requests cannot be counted."""
        return 0

    def from_the_future(self) -> None:
        """Move the times that earlier runs wrote down to a year from now."""
        raise NotImplementedError(f"{type(self).__name__} goes by no times")

    def _traced(self, *expected: str, table: str = "trace", times: int = 1) -> list[str]:
        found = Counter(what for (what,) in self.database.execute(f"SELECT what FROM {table}"))
        lost = [f"lost: {what}" for what in expected if found[what] < times]
        more = [
            f"{count} times: {what}" for what, count in found.items() if count > times * (what in expected)
        ]
        return lost + more

    def _same(self, what: str, query: str, expected: Any) -> list[str]:
        found = self.database.execute(query)
        return [] if found == expected else [f"{what}: {found} instead of {expected}"]

    def close(self) -> None:
        self.cluster.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


class Up(Scenario):
    """``db up`` with every kind of migration."""

    direction = "up"
    applied = tuple(str(version) for version in _MIGRATIONS)

    def prepare(self) -> None:
        self.database.execute(_TRACE)
        self.database.execute("CREATE SCHEMA aside")
        self.database.execute("CREATE TABLE aside.trace (LIKE trace INCLUDING ALL)")
        with place_at(self.folder, self.database.dsn) as self.place:
            for version, (up, down) in _MIGRATIONS.items():
                self.place.write(version, up, down)

    def command(self, dsn: str) -> tuple[str, ...]:
        return (*PGREHEARSE, "db", "up", "--dsn", dsn)

    def judged(self) -> list[str]:
        return [
            *self._traced("2 up", "3 first", "3 last", "4 first", "4 last", "5 up", "6 here"),
            *self._traced("6 aside", table="aside.trace"),
            *self._same("items", "SELECT DISTINCT touched, n = id FROM item", [(1, True)]),
            *self._same("rows", "SELECT count(*) FROM item", [(_ROWS,)]),
            *self._indexes("item_n", "item_pkey"),
            *self._ledger(),
        ]

    def _indexes(self, *expected: str) -> list[str]:
        query = (
            "SELECT c.relname, i.indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
            " WHERE c.relname ~ '^item' ORDER BY 1"
        )
        return self._same("indexes", query, [(name, True) for name in expected])

    def _ledger(self) -> list[str]:
        """What the ledger says against what is true: applied, done once, all else interrupted or failed."""
        place = Place(self.database.dsn, self.folder)
        wrong = [] if place.applied() == list(self.applied) else [f"applied: {place.applied()}"]
        mine = [attempt for attempt in place.attempts() if attempt.direction == self.direction]
        done = Counter(attempt.version for attempt in mine if attempt.outcome == "done")
        moved = list(_MIGRATIONS) if self.direction == "up" else [v for v in _MIGRATIONS if v > 1]
        if done != {str(version): 1 for version in moved}:
            wrong.append(f"ledger: done {dict(done)}")
        for attempt in mine:
            if attempt.outcome not in ("done", "interrupted", "failed") or attempt.finished is None:
                wrong.append(f"ledger: an attempt at {attempt.version} is {attempt.outcome}")
            if attempt.outcome == "done" and {cost.outcome for cost in attempt.statements} != {"done"}:
                wrong.append(f"ledger: {attempt.version} is done, and its statements {attempt.statements}")
        return wrong

    def from_the_future(self) -> None:
        if self.database.one("SELECT to_regclass('pgrehearse.attempt')"):
            self.database.execute(
                "UPDATE pgrehearse.attempt SET started = started + '1 year', finished = finished + '1 year'"
            )


class Rollback(Up):
    """``db rollback`` of everything after the first migration."""

    direction = "down"
    applied = ("1",)

    def prepare(self) -> None:
        super().prepare()
        self.place.up()
        self.database.execute("TRUNCATE trace, aside.trace")

    def command(self, dsn: str) -> tuple[str, ...]:
        return (*PGREHEARSE, "db", "rollback", "--to", "1", "--dsn", dsn)

    def judged(self) -> list[str]:
        return [
            *self._traced("6 down", "5 down", "4 down", "3 down first", "3 down last", "2 down"),
            *self._traced("6 down aside", table="aside.trace"),
            *self._same(
                "tables", "SELECT to_regclass('item')::text, to_regproc('touch')::text", [(None, None)]
            ),
            *self._ledger(),
        ]


class Run(Scenario):
    """``run`` of a runbook: single statements, a transaction of several cells, settings, builds, Python."""

    def prepare(self) -> None:
        self.database.mark("staging")
        self.database.execute(_TRACE)
        self.database.execute("CREATE TABLE by_python (what text)")
        self.database.execute(f"CREATE TABLE item AS SELECT generate_series(1, {_ROWS}) AS n")
        write(self.folder, "pyproject.toml", "")
        write(self.folder, "runbooks/sample.md", RUNBOOK)

    def command(self, dsn: str) -> tuple[str, ...]:
        return (*PGREHEARSE, "run", "sample", "--yes", "--dsn", dsn)

    def judged(self) -> list[str]:
        steps = ("one", "two a", "two b", "three a", "three b", "with ok", "last")
        index = "SELECT indisvalid FROM pg_index WHERE indrelid = 'item'::regclass"
        return [
            *self._traced(*steps, times=self.runs),
            *self._same(
                "order", "SELECT what FROM trace ORDER BY at", [(what,) for what in steps * self.runs]
            ),
            *self._same("in Python", "TABLE by_python", [("done",)]),
            *self._same("ledger: runs", _RUNS, [("done", self.runs)]),
            *self._same("ledger: steps of the last run", _STEPS, [("done", RUNBOOK.count("### "))]),
            *self._same("indexes", index, [(True,)]),
        ]

    def from_the_future(self) -> None:
        if self.database.one("SELECT to_regclass('pgrehearse.run')"):
            self.database.execute(
                "UPDATE pgrehearse.run SET started = started + '1 year', finished = finished + '1 year'"
            )
        for log in (self.folder / ".pgrehearse" / "runs").glob("*.jsonl"):
            text = re.sub(r'"at": "(\d{4})', lambda at: f'"at": "{int(at[1]) + 1}', log.read_text("utf-8"))
            log.rename(log.with_name(f"{int(log.name[:4]) + 1}{log.name[4:]}")).write_text(text, "utf-8")
