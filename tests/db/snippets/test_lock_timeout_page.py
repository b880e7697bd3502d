"""The query of the page on 55P03 names who holds a lock on the table, its partitions or its children."""

from __future__ import annotations

from pathlib import Path

import psycopg

from pgrehearse.servers import start
from pgrehearse.text.document import load
from support.majors import TEST_MAJOR

PAGE = Path(__file__).parents[3] / "docs" / "stuck" / "lock-timeout.md"
FAMILY = """
CREATE TABLE parent (id int);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE grandchild () INHERITS (child);
CREATE TABLE visit (day int, part int) PARTITION BY LIST (day);
CREATE TABLE visit_1 PARTITION OF visit FOR VALUES IN (1) PARTITION BY LIST (part);
CREATE TABLE visit_1_1 PARTITION OF visit_1 FOR VALUES IN (1);
CREATE TABLE alone (id int);
"""


def query(table: str) -> str:
    cells = load(PAGE).cells
    (found,) = (cell.source for cell in cells if "AS holds" in cell.source)
    return found.replace("wishlist_items", table)


def test_holders_below_the_table_are_named() -> None:
    with (
        start(TEST_MAJOR) as server,
        psycopg.connect(server.dsn(), autocommit=True) as look,
        psycopg.connect(server.dsn()) as holder,
    ):
        look.execute(FAMILY)
        for held, asked, named in (
            ("grandchild", "parent", True),
            ("visit_1_1", "visit", True),
            ("alone", "alone", True),
            ("alone", "parent", False),
            ("parent", "child", False),  # the page says to ask for that one
        ):
            holder.execute(f"LOCK TABLE ONLY {held} IN ROW EXCLUSIVE MODE".encode())
            with look.transaction():
                look.execute("SET LOCAL lock_timeout = '50ms'")
                blocked = False
                try:
                    with look.transaction():
                        look.execute(f"LOCK TABLE {asked} IN ACCESS EXCLUSIVE MODE".encode())
                except psycopg.errors.LockNotAvailable:
                    blocked = True
            pids = [row[0] for row in look.execute(query(asked).encode()).fetchall()]
            assert blocked == named, (held, asked)
            assert pids == ([holder.info.backend_pid] if named else []), (held, asked)
            holder.rollback()
