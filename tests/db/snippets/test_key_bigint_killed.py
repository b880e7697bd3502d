"""The runbook key-bigint, its session ended at moments that a seed chooses: in Apply and in Roll back."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pgrehearse.environments.target import open_target
from pgrehearse.errors import PgRehearseError
from pgrehearse.execution.runbook.parameters import values_of
from pgrehearse.execution.runbook.run import RunRequest, carry_out
from pgrehearse.execution.runbook.steps import FORWARD, Step
from pgrehearse.text.document import load
from support.databases import Database
from support.runbook_requests import Recorder
from support.waiting import wait_until

RUNBOOK = load(Path(__file__).parents[3] / "runbooks" / "key-bigint.md")
VALUES = values_of(RUNBOOK, {"table": "parent", "column": "id"})
SHOP = (
    "CREATE TABLE parent (id int PRIMARY KEY, note text NOT NULL)",
    "CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL REFERENCES parent ON DELETE CASCADE)",
    "INSERT INTO parent SELECT n, 'note ' || n FROM generate_series(1, 3000) AS n",
    "INSERT INTO child SELECT n, 1 + n % 3000 FROM generate_series(1, 4000) AS n",
    "CREATE INDEX ON child (parent)",
)
#: The same, with the second table in partitions.
PARTITIONED = (
    SHOP[0],
    "CREATE TABLE child (id int, parent int NOT NULL REFERENCES parent ON DELETE CASCADE, PRIMARY KEY (id))"
    " PARTITION BY RANGE (id)",
    "CREATE TABLE child_1 PARTITION OF child FOR VALUES FROM (1) TO (1500)",
    "CREATE TABLE child_2 PARTITION OF child DEFAULT PARTITION BY HASH (id)",
    "CREATE TABLE child_2a PARTITION OF child_2 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
    "CREATE TABLE child_2b PARTITION OF child_2 FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
    *SHOP[2:],
)
ROWS = "SELECT md5(string_agg(t::text, ',' ORDER BY t)) FROM (SELECT id, {} FROM {}) AS t"
TYPES = """
SELECT array_agg(atttypid::regtype::text ORDER BY attrelid::regclass::text, attname) FROM pg_attribute
 WHERE attrelid IN ('parent'::regclass, 'child'::regclass) AND attname IN ('id', 'parent')
"""
END = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'pgrehearse main'
"""


@dataclass
class Killer(Recorder):
    """Ends the session of the run ``late`` seconds after the step with the number ``at`` has begun."""

    database: Database = field(default_factory=lambda: Database(""))
    at: int = 0
    late: float = 0.0
    steps: int = 0
    ended: int = 0
    blow: threading.Timer | None = None

    def step(self, step: Step) -> None:
        self.steps += 1
        if self.steps == self.at:
            self.blow = threading.Timer(self.late, self.end)
            self.blow.start()

    def end(self) -> None:
        self.ended = int(self.database.one(END))


def killed(database: Database, folder: Path, phases: tuple[str, ...], at: int, late: float) -> bool:
    """Whether a run of ``phases`` was ended; else it went through before the blow."""
    killer = Killer(database=database, at=at, late=late)
    asked = RunRequest(RUNBOOK, open_target(database.dsn), VALUES, folder, phases)
    failure = None
    try:
        carry_out(asked, killer)
    except PgRehearseError as error:
        failure = error
    if killer.blow is not None:
        killer.blow.join()  # it may not meet the next run
    wait_until(lambda: database.backends() == 0, "the sessions of the run are gone")
    if failure is not None and not killer.ended:
        raise failure
    return failure is not None


def carried_out(database: Database, folder: Path, phases: tuple[str, ...]) -> None:
    assert carry_out(RunRequest(RUNBOOK, open_target(database.dsn), VALUES, folder, phases), Recorder())


@pytest.mark.parametrize(("tables", "seed"), [(SHOP, 1), (SHOP, 2), (PARTITIONED, 3), (PARTITIONED, 4)])
def test_rows_and_definitions_outlive_ended_sessions(
    database: str, tmp_path: Path, tables: tuple[str, ...], seed: int
) -> None:
    shop = Database(database)
    shop.mark("staging")
    for sql in tables:
        shop.execute(sql)
    rows = [ROWS.format("note", "parent"), ROWS.format("parent", "child")]
    before = [shop.one(query) for query in rows]
    chance = random.Random(seed)  # noqa: S311
    # The steps of Preflight come first; a run that goes on passes those that were done.
    ends = [killed(shop, tmp_path, FORWARD, chance.randint(8, 16), chance.random() / 20) for _ in range(3)]
    assert any(ends)
    carried_out(shop, tmp_path, FORWARD)
    assert shop.one(TYPES) == ["integer", "bigint", "bigint"]
    assert [shop.one(query) for query in rows] == before
    assert shop.execute("DELETE FROM parent WHERE id = 1 RETURNING id") == [(1,)]
    shop.execute("INSERT INTO parent (id, note) VALUES (5000000000, 'large')")
    shop.execute("DELETE FROM parent WHERE id = 5000000000")
    after = [shop.one(query) for query in rows]
    killed(shop, tmp_path, ("Roll back",), chance.randint(2, 6), chance.random() / 20)
    carried_out(shop, tmp_path, ("Roll back",))
    assert shop.one(TYPES) == ["integer", "integer", "integer"]
    assert [shop.one(query) for query in rows] == after
