"""Rows that a walk could not write: PostgreSQL refuses an UPDATE, or a subscriber would stop at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.execution.maker import Maker
from pgrehearse.measurement.zoo.subscriber import PUBLICATION, follows, subscribed
from pgrehearse.servers import Server
from support.foreign import BACK, FORWARD, Foreign, Values

SNIPPET = (Path(__file__).parents[3] / "snippets" / "sql" / "updates-are-sent.sql").read_bytes()
ASKED = "SELECT pg_temp.updates_are_sent('t')"
PARTITIONED = (
    "CREATE TABLE t (id int {}, v int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t DEFAULT"
)
#: Name -> the table and its publication; whether PostgreSQL lets a row be updated.
TABLES = {
    "not published": ("CREATE TABLE t (id int, v int)", "", True),
    "no key": ("CREATE TABLE t (id int, v int)", "FOR TABLE t", False),
    "no key, inserts": ("CREATE TABLE t (id int, v int)", "FOR TABLE t WITH (publish = 'insert')", True),
    "a key": ("CREATE TABLE t (id int PRIMARY KEY, v int)", "FOR TABLE t", True),
    "a key that waits": ("CREATE TABLE t (id int PRIMARY KEY DEFERRABLE, v int)", "FOR TABLE t", False),
    "by the root": (PARTITIONED.format(""), "FOR TABLE t WITH (publish_via_partition_root)", False),
    "a key of the root": (
        PARTITIONED.format("PRIMARY KEY"),
        "FOR TABLE t WITH (publish_via_partition_root)",
        True,
    ),
    "some rows": ("CREATE TABLE t (id int PRIMARY KEY, v int)", "FOR TABLE t WHERE (v > 1)", False),
    "some columns": ("CREATE TABLE t (id int PRIMARY KEY, v int)", "FOR TABLE t (v)", False),
    "the identity is gone": (
        "CREATE TABLE t (id int NOT NULL, v int); CREATE UNIQUE INDEX i ON t (id);"
        "ALTER TABLE t REPLICA IDENTITY USING INDEX i; DROP INDEX i",
        "FOR TABLE t",
        False,
    ),
    "made by the server": (
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        "                a int GENERATED ALWAYS AS (3) STORED, v int)",
        "FOR TABLE t",
        True,
    ),
}
#: Columns of a table that sends whole rows; whether a subscriber can compare them.
COLUMNS = {
    "v jsonb DEFAULT '1', d varchar(9) DEFAULT 'd', e int4range DEFAULT '[1,2)', g text[] DEFAULT '{g}',"
    "h cidr DEFAULT '10.0.0.0/8', i name DEFAULT 'i', k felt DEFAULT 'k'": True,
    "v json DEFAULT '1'": False,
    "v json[] DEFAULT '{1}'": False,
    "v box DEFAULT '(1,1),(0,0)'": False,
    "v pair DEFAULT '(1,2)'": False,
    "v json DEFAULT '1', PRIMARY KEY (id)": True,
    "v json DEFAULT '1', PRIMARY KEY (id) DEFERRABLE": False,
}
WALKS: list[tuple[str, Values]] = [
    ("backfill-in-batches", {"column": "w", "expression": "v"}),
    ("enum-to-lookup-table", {"column": "s", "lookup": "l", "subscribers": "ready"}),
    ("enum-retire-value", {"column": "s", "label": "b", "replacement": "a", "constraint_name": "k"}),
    ("column-change-type", {"column": "w", "type": "varchar(9)", "to_new": "value", "to_old": "value"}),
    (
        "column-split",
        {
            **{"column": "v", "first": "f", "first_type": "text", "second": "g", "second_type": "text"},
            **{"first_value": "left(value, 1)", "second_value": "substr(value, 2)"},
            **{"joined": "first || second", "subscribers": "ready"},
        },
    ),
]


def said(foreign: Foreign) -> str:
    with psycopg.connect(foreign.conninfo, autocommit=True) as session:
        session.execute(SNIPPET)
        session.execute("SET default_transaction_read_only = on")  # as `pgrehearse run` sends a check
        return str(session.execute(ASKED.encode()).fetchall()[0][0])


@pytest.mark.parametrize("name", TABLES)
def test_the_answer_is_that_of_an_update(foreign: Foreign, name: str) -> None:
    table, publication, writable = TABLES[name]
    foreign.has(table, "INSERT INTO t (v) VALUES (1)" if "made" in name else "INSERT INTO t VALUES (1, 1)")
    if publication:
        foreign.as_superuser(f"CREATE PUBLICATION p {publication}")
    answer = said(foreign)
    if writable:
        assert answer == "ok"
        foreign.has("UPDATE t SET v = 2")
    else:
        with pytest.raises(psycopg.Error) as refused:
            foreign.has("UPDATE t SET v = 2")
        assert answer.startswith(f"stop: no row can be updated: {refused.value.diag.message_primary}")


@pytest.fixture
def maker(foreign_server: Server) -> Iterator[Maker]:
    made = Maker(foreign_server)
    yield made
    made.close()


@pytest.mark.parametrize("columns", COLUMNS)
def test_a_subscriber_stops_where_it_is_said(
    foreign: Foreign, foreign_server: Server, maker: Maker, columns: str
) -> None:
    foreign.has(
        "CREATE TYPE pair AS (a int, b json); CREATE DOMAIN felt AS varchar",
        f"CREATE TABLE t (id int, {columns})",
        "ALTER TABLE t REPLICA IDENTITY FULL",
        "INSERT INTO t (id) VALUES (1), (2)",
    )
    foreign.as_superuser(f"CREATE PUBLICATION {PUBLICATION} FOR TABLE t")
    answer = said(foreign)
    with (
        maker.temporary("told", foreign.name) as publisher,
        subscribed(foreign_server, maker, publisher, foreign.name, ()) as subscriber,
    ):
        assert follows(foreign_server, publisher, subscriber)
        with psycopg.connect(foreign_server.dsn(publisher), autocommit=True) as session:
            session.execute("UPDATE t SET id = 3 WHERE id = 2")
        goes_on = follows(foreign_server, publisher, subscriber)
    assert goes_on == COLUMNS[columns]
    assert answer == "ok" if goes_on else answer.startswith("stop: subscribers compare whole rows")


@pytest.mark.parametrize(("runbook", "values"), WALKS, ids=lambda value: value if type(value) is str else "")
def test_a_walk_is_refused_before_it_begins(foreign: Foreign, runbook: str, values: Values) -> None:
    foreign.has(
        "CREATE TYPE mood AS ENUM ('a', 'b')",
        "CREATE TABLE t (id int PRIMARY KEY DEFERRABLE, v text NOT NULL, w text,"
        "                s mood NOT NULL DEFAULT 'a')",
        "INSERT INTO t (id, v) SELECT n, 'x' || n FROM generate_series(1, 9) AS n",
    )
    # A list of columns, so that nobody has to make the new ones elsewhere first.
    foreign.as_superuser("CREATE PUBLICATION p FOR TABLE t (id)")
    before = foreign.state()
    words = foreign.play(runbook, FORWARD, {"table": "t", **values})
    assert "stop: no row can be updated: cannot update table" in words
    assert not before.differences(foreign.state())
    foreign.as_superuser(
        "DROP PUBLICATION p", "CREATE PUBLICATION p FOR TABLE t (id) WITH (publish = 'insert')"
    )
    assert not foreign.play(runbook, FORWARD, {"table": "t", **values})


#: A CHECK that calls a function, then the function as it was when the rows were written, and as it is now.
CHECKS = {
    "CHECK (fits(id))": ("SELECT true", "SELECT $1 <> 7"),
    "CHECK (NOT fits(id))": ("SELECT false", "SELECT $1 = 7"),
    "CHECK (id @@@ 1)": ("SELECT true", "SELECT $1 <> 7"),
}
FITS = """
CREATE OR REPLACE FUNCTION fits(int) RETURNS bool LANGUAGE sql IMMUTABLE AS '{0}';
CREATE OR REPLACE FUNCTION fits(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS '{0}';
"""


@pytest.mark.parametrize(("runbook", "values"), WALKS, ids=lambda value: value if type(value) is str else "")
def test_a_row_that_a_check_refuses_as_its_function_is_now(
    foreign: Foreign, runbook: str, values: Values
) -> None:
    foreign.has(
        FITS.format("SELECT true"),
        "CREATE OPERATOR @@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = fits)",
        "CREATE TYPE mood AS ENUM ('a', 'b')",
    )
    for check, (then, now) in CHECKS.items():
        foreign.has(
            FITS.format(then),
            "CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL, w text, s mood NOT NULL DEFAULT 'a')",
            "INSERT INTO t (id, v, s) SELECT n, 'x' || n, 'b' FROM generate_series(1, 9) AS n",
            f"ALTER TABLE t ADD {check}",
            FITS.format(now),
        )
        before = foreign.state()
        words = foreign.play(runbook, FORWARD, {"table": "t", **values})
        assert "stop: rows of t break t_id_check, as its function is now" in words
        assert not before.differences(foreign.state())
        foreign.has("DELETE FROM t WHERE id = 7")
        assert not foreign.play(runbook, FORWARD, {"table": "t", **values})
        assert not foreign.play(runbook, BACK, {"table": "t", **values})
        foreign.has("DROP TABLE t CASCADE")
