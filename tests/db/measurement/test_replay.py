"""A replay that begins on a copy leads where one from the first cell leads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgrehearse.errors import ExpectationError
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.measurement import replay
from pgrehearse.measurement.cells import is_measured
from pgrehearse.measurement.replay import Replay
from pgrehearse.servers import Servers
from pgrehearse.text.document import Document, load
from pgrehearse.text.project import Project

HEAD = "---\ntitle: x\ndatabase: empty\nbash: true\njupyter:\n  jupytext:\n    main_language: python\n---\n\n"
BEGIN = ("sql", "CREATE TABLE seen (what text);\nCREATE TABLE items (id int PRIMARY KEY);")
THEN = ("sql", "ALTER TABLE items ADD COLUMN v int;")
LAST = ("sql", "COMMENT ON TABLE items IS 'x';")


class Replaying:
    """Writes documents, replays them before each cell that is measured, and counts what is run."""

    def __init__(self, root: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
        (root / "docs").mkdir()
        (root / "pyproject.toml").write_text("", "utf-8")
        self.project = Project.at(root)
        self.path = root / "docs" / "x.md"
        self.servers = servers
        self.ran: list[int] = []  # cells of each replay
        run = replay.run_cells

        def counting(executor: Any, order: Any, cells: Any) -> Any:
            self.ran.append(len(cells))
            return run(executor, order, cells)

        monkeypatch.setattr(replay, "run_cells", counting)

    def document(self, *cells: tuple[str, str]) -> Document:
        text = "".join(f"```{head}\n{source}\n```\n\n" for head, source in cells)
        self.path.write_text(HEAD + text, "utf-8")
        return load(self.path)

    def seen(self, *cells: tuple[str, str], rehearsed: bool = False) -> list[list[str]]:
        """What the table ``seen`` holds before each measured cell but the first, which makes it."""
        document = self.document(*cells)
        wanted = [n for n, cell in enumerate(document.in_order()) if is_measured(cell)]
        found = []
        rehearser = Rehearser(self.project, self.servers, keep=False)
        try:
            if rehearsed:
                assert rehearser.rehearse(document).green
            with Replay(rehearser, document, None, wanted) as replaying:
                for position in wanted[1:]:
                    with (
                        replaying.before(position) as fresh,
                        psycopg.connect(fresh.server.dsn(fresh.name)) as connection,
                    ):
                        rows = connection.execute("SELECT what FROM seen").fetchall()
                        found.append([what for (what,) in rows])
        finally:
            for databases in rehearser._databases.values():
                databases.close()
        return found


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """A server on which nothing else happens: what does makes a bash cell run again."""
    with Servers() as pool:
        yield pool


@pytest.fixture
def replaying(tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Replaying:
    return Replaying(tmp_path, servers, monkeypatch)


def insert(value: str) -> str:
    return f"INSERT INTO seen SELECT {value};"


#: Cells before and after a measured one, and what is in ``seen`` after both: all of it depends on the first.
HELD = {
    "setting": (("sql", "SET work_mem = '7MB';"), ("sql", insert("current_setting('work_mem')")), "7MB"),
    "setting of the project": (
        ("sql", "SET my.own = 'x';"),
        ("sql", insert("coalesce(current_setting('my.own', true), 'lost')")),
        "x",
    ),
    "role": (("sql", "SET ROLE pg_monitor;\nSET ROLE NONE;"), ("sql", insert("current_user")), "postgres"),
    "temporary table": (
        ("sql", "CREATE TEMPORARY TABLE mine AS SELECT 1 AS n;"),
        ("sql", insert("n::text FROM mine")),
        "1",
    ),
    "temporary function": (
        ("sql", "CREATE FUNCTION pg_temp.mine() RETURNS text LANGUAGE sql RETURN 'y';"),
        ("sql", insert("pg_temp.mine()")),
        "y",
    ),
    "prepared statement": (
        ("sql", "PREPARE mine AS INSERT INTO seen VALUES ('prepared');"),
        ("sql", "EXECUTE mine;"),
        "prepared",
    ),
    "open transaction": (
        ('sql session="app"', "BEGIN;\nINSERT INTO seen VALUES ('kept');"),
        ('sql session="app"', "COMMIT;"),
        "kept",
    ),
    "lock that is waited for": (
        ('sql session="app"', "BEGIN;\nLOCK TABLE seen IN SHARE MODE;"),
        ('sql session="app"', "COMMIT;\n" + insert("'after'")),
        "after",
    ),
    "advisory lock": (
        ('sql session="app"', "SELECT pg_advisory_lock(7);"),
        ("sql", insert("CASE WHEN pg_try_advisory_lock(7) THEN 'free' ELSE 'held' END")),
        "held",
    ),
    "cursor": (
        ("sql", "DECLARE mine CURSOR WITH HOLD FOR SELECT 1;"),
        ("sql", "FETCH mine;\n" + insert("'fetched'")),
        "fetched",
    ),
    "sequence": (
        ("sql", "CREATE SEQUENCE s;\nSELECT nextval('s');"),
        ("sql", insert("currval('s')::text")),
        "1",
    ),
    "Python's variable": (
        ("python", "import psycopg\nvalue = 'py'"),
        (
            "python",
            "with psycopg.connect() as connection:\n"
            "    connection.execute('INSERT INTO seen VALUES (%s)', [value])",
        ),
        "py",
    ),
    "Python's lock": (
        (
            "python",
            "import psycopg\nheld = psycopg.connect(autocommit=True)\n"
            "held.execute('SELECT pg_advisory_lock(8)')",
        ),
        ("sql", insert("CASE WHEN pg_try_advisory_lock(8) THEN 'free' ELSE 'held' END")),
        "held",
    ),
    "file of a bash cell": (
        ("bash", "echo here >note"),
        ("bash", "psql -qc \"INSERT INTO seen VALUES ('$(cat note)')\""),
        "here",
    ),
    "another database": (
        ("bash", 'createdb "${PGDATABASE}_b"'),
        (
            "bash",
            'psql -d "${PGDATABASE}_b" -qc "SELECT 1" && dropdb "${PGDATABASE}_b"\n'
            "psql -qc \"INSERT INTO seen VALUES ('both')\"",
        ),
        "both",
    ),
}


@pytest.mark.parametrize("what", HELD)
def test_what_a_session_holds_is_there_for_later_cells(replaying: Replaying, what: str) -> None:
    first, second, left = HELD[what]
    assert replaying.seen(BEGIN, first, THEN, second, LAST)[-1] == [left]


@pytest.mark.parametrize("what", ["temporary table", "prepared statement", "Python's lock", "advisory lock"])
def test_without_looking_it_would_be_lost(
    replaying: Replaying, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The negative control: the cells tell whether the copy lacked something."""
    monkeypatch.setattr(replay, "_state", lambda session: ({}, []))
    monkeypatch.setattr(replay, "_others", lambda executor: False)
    first, second, _ = HELD[what]
    found = replaying.seen(BEGIN, first, THEN, second, LAST)
    assert found[-1] == ["free"] or replaying.ran == [2, 2, 4], "wrong, or red and begun anew"


def test_only_new_cells_are_replayed(replaying: Replaying) -> None:
    note = ("sql", insert("'1'"))
    assert replaying.seen(BEGIN, note, THEN, note, LAST, note, LAST) == [["1"], ["1"] * 2, ["1"] * 3]
    assert replaying.ran == [2, 2, 2]


def test_what_later_cells_do_not_name_is_left_behind(replaying: Replaying) -> None:
    mine = ("sql", "CREATE TEMPORARY TABLE mine AS SELECT 1 AS n;")
    replaying.seen(BEGIN, mine, THEN, ("sql", insert("'1'")), LAST)
    assert replaying.ran == [2, 2]


def test_a_red_cell_is_named_with_its_line(replaying: Replaying) -> None:
    with pytest.raises(ExpectationError) as caught:
        replaying.seen(BEGIN, THEN, ("sql", "SELECT 1 / 0;"), LAST)
    assert "22012" in str(caught.value)
    assert caught.value.line is not None
    assert replaying.ran == [1, 2, 3], "from the copy, and once more from the first cell"


def test_nothing_is_left(replaying: Replaying, servers: Servers) -> None:
    def databases() -> set[str]:
        with psycopg.connect(servers.get().dsn()) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}

    before = databases()
    replaying.seen(BEGIN, THEN, LAST)
    assert databases() == before


def test_bash_cells_that_change_nothing_are_not_run_again(replaying: Replaying) -> None:
    """They were rehearsed before; what they did to their folder is there."""
    edit, show = ("bash", "echo edited >note"), ("bash", "cat note")
    tell = ("bash", "psql -Xqc \"INSERT INTO seen VALUES ('$(cat note)')\"")
    cells = (BEGIN, edit, show, THEN, ("bash", "cat note; echo again >>note"), tell, LAST)
    assert replaying.seen(*cells, rehearsed=True) == [[], ["edited\nagain"]]
    assert replaying.ran == [1, 2]


def test_nor_are_they_left_out_when_a_folder_cannot_be_held(replaying: Replaying) -> None:
    edit, tell = ("bash", "pwd >note"), ("bash", "psql -Xqc \"INSERT INTO seen VALUES ('$(wc -l <note)')\"")
    assert replaying.seen(BEGIN, edit, THEN, tell, LAST, rehearsed=True) == [[], ["1"]]
    assert replaying.ran == [1, 4], "the first without the bash cell, whose commands reach no database"
