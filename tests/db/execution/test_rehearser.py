"""Rehearsals of whole documents: isolation, what is kept, records, accept mode, and however a run ends."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pgrehearse.errors import DocumentError
from pgrehearse.execution import records
from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.servers import Server, Servers
from pgrehearse.text.document import Document, load
from pgrehearse.text.project import Project

MAJOR = int(os.environ["PGREHEARSE_TEST_MAJOR"]) if os.environ.get("PGREHEARSE_TEST_MAJOR") else None
FRONT = "---\njupyter:\n  jupytext: {main_language: python}\n---\n"
COMMAND = [sys.executable, "-c", "from pgrehearse.main import main; main()"]


def wait_until(condition: Callable[[], bool], what: str, limit: float = 30) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s: {what}"
        time.sleep(0.01)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name, text in {
        "pyproject.toml": "",
        "db/migrations/1_a.sql": "-- migrate:up\nCREATE TABLE items (n int);\n",
        "db/seed.sql": "INSERT INTO items SELECT * FROM generate_series(1, :'rows'::int);\n",
        "snippets/sql/one.sql": "SELECT 1 AS one;\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return Project.at(tmp_path)


def write(project: Project, name: str, *cells: str, front: str = FRONT) -> Document:
    path = project.root / "docs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(front + "\n" + "\n".join(cells), "utf-8")
    return load(path)


def cell(source: str, options: str = "", expected: str | None = None) -> str:
    after = "" if expected is None else f"\n```text\n{expected}\n```\n"
    return f"```sql{' ' if options else ''}{options}\n{source}\n```\n{after}"


@pytest.fixture
def rehearser(project: Project) -> Iterator[Rehearser]:
    """On servers of its own: it is closed, killed and crashed."""
    with Rehearser(project, Servers()) as made:
        yield made


def databases(server: Server) -> set[str]:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        return {str(row[0]) for row in connection.execute("SELECT datname FROM pg_database")}


STANDARD = {"postgres", "template0", "template1"}


def test_each_document_has_a_database_of_its_own(project: Project, rehearser: Rehearser) -> None:
    text = cell("CREATE TABLE same (a int);\nDELETE FROM items;") + cell("SELECT count(*) FROM items;")
    documents = [write(project, f"{name}.md", text) for name in "abc"]
    for document, upcoming in zip(documents, [*documents[1:], None], strict=True):
        result = rehearser.rehearse(document, MAJOR, upcoming)
        assert result.green, result.report("x")
        assert result.psql_line == ""
        assert " 0\n" in result.cells[1].output
    (only,) = rehearser._databases.values()
    left = databases(only.server) - STANDARD
    assert len([name for name in left if "template" in name]) == 1, "the template is built once"
    assert len([name for name in left if "template" not in name]) <= 1, "all but the last are gone"
    only.close()
    assert databases(only.server) == STANDARD


def test_sizes_and_runbooks(project: Project, rehearser: Rehearser) -> None:
    front = FRONT.replace("---\njupyter", "---\ndatabase: {rows: 7}\njupyter")
    phases = ("Preflight", "Apply", "Verify", "Roll back", "Rehearsal")
    cells = [cell("SELECT count(*) AS n FROM items;", expected=" n\n---\n 7\n(1 row)"),
             cell("DELETE FROM items WHERE n = 1;"), cell("SELECT 1;"), cell("SELECT 1;"),
             cell("INSERT INTO items VALUES (0);")]  # fmt: skip
    text = [f"## {phase}\n\n{c}" for phase, c in zip(phases, cells, strict=True)]
    result = rehearser.rehearse(write(project, "a.md", *text, front=front), MAJOR)
    assert [r.status for r in result.cells] == ["failed", "notrun", "notrun", "notrun", "passed"]
    text[0] = text[0].replace(" 7\n", " 8\n")
    result = rehearser.rehearse(write(project, "a.md", *text, front=front), MAJOR)
    assert result.green, result.report("a.md")


def test_records(project: Project, rehearser: Rehearser) -> None:
    document = write(
        project,
        "a.md",
        cell("SELECT 1;"),
        cell("SELECT 1;", 'needs="90"'),
        cell("SELECT 1/0;"),
        cell("SELECT 2;"),
    )
    result = rehearser.rehearse(document, MAJOR)
    record = records.load(project.records / "records", "docs/a.md")
    run = record.runs[str(result.major)]
    assert run.text_digest == records.text_digest(document.text)
    assert [c.digest for c in run.cells] == [c.digest for c in document.cells]
    assert [(c.status, c.message) for c in run.cells] == [
        ("passed", ""),
        ("skipped", "needs PostgreSQL 90 or later"),
        ("failed", "it raised SQLSTATE 22012"),
        ("notrun", "an earlier cell failed"),
    ]
    assert run.cells[2].message_line == document.cells[2].first_line
    assert "division by zero" in run.cells[2].output
    assert run.version == result.version


def test_a_wrong_form_is_refused_before_anything_runs(project: Project, rehearser: Rehearser) -> None:
    document = write(project, "a.md", cell("SELECT 1;"), cell("\\d"), cell("SELECT 1;", 'expekt="1"'))
    with pytest.raises(DocumentError) as caught:
        rehearser.rehearse(document, MAJOR)
    text = str(caught.value)
    assert f"{document.path}:11: psql command \\d is not SQL [sql]" in text
    assert f"{document.path}:14: unknown option 'expekt'" in text
    assert rehearser._databases == {}
    assert not project.records.exists()


def test_a_snippet_out_of_sync_is_refused(project: Project, rehearser: Rehearser) -> None:
    right = write(project, "a.md", cell("SELECT 1 AS one;", 'snippet="one"'))
    assert rehearser.rehearse(right, MAJOR).green
    wrong = write(project, "a.md", cell("SELECT 1 AS one", 'snippet="one"'))
    with pytest.raises(DocumentError, match="differs from the snippet 'one'") as caught:
        rehearser.rehearse(wrong, MAJOR)
    assert caught.value.line == wrong.cells[0].line
    assert "pgrehearse sync" in str(caught.value.next_step)
    with pytest.raises(DocumentError, match="no snippet 'two' for this cell"):
        rehearser.rehearse(write(project, "a.md", cell("SELECT 1;", 'snippet="two"')), MAJOR)


def test_a_broken_migration_blames_the_document_that_wanted_it(
    project: Project, rehearser: Rehearser
) -> None:
    (project.migrations / "2_b.sql").write_text("-- migrate:up\n\nSELECT nope;\n", "utf-8")
    front = FRONT.replace("---\njupyter", "---\ndatabase: empty\njupyter")
    first = write(project, "a.md", cell("SELECT 1;"), front=front)
    second = write(project, "b.md", cell("SELECT 1;"))
    assert rehearser.rehearse(first, MAJOR, second).green
    for _ in range(2):
        with pytest.raises(DocumentError, match="the template database could not be built") as caught:
            rehearser.rehearse(second, MAJOR, first)
        assert caught.value.location == f"{project.migrations / '2_b.sql'}:3"
    assert rehearser.rehearse(first, MAJOR).green


# --- accept mode ----------------------------------------------------------------------------------


def test_accept(project: Project, rehearser: Rehearser) -> None:
    document = write(
        project,
        "a.md",
        cell("SELECT 1 AS a;", expected="old\nolder"),
        "Prose.\n",
        cell("SELECT 2 AS b, now();", expected=" old | now\n---+---\n 2 | ...\n(1 row)"),
        cell("SELECT n FROM items WHERE n < 4 ORDER BY n;", expected=" old\n---\n...\n(3 rows)"),
        cell("SELECT 4;"),
        cell("SELECT 5/0;", 'expect="22012"', "old"),
    )
    result, changed = rehearser.accept(document, MAJOR)
    assert result.green, result.report("a.md")
    assert changed == [c.expected.line for c in document.cells if c.expected]
    text = document.path.read_text("utf-8")
    assert "```text\n a\n---\n 1\n(1 row)\n```\n\nProse.\n" in text
    assert "```text\nERROR:  division by zero\n```" in text
    assert "..." in text
    again, nothing = rehearser.accept(load(document.path), MAJOR)
    assert (again.green, nothing) == (True, [])
    assert document.path.read_text("utf-8") == text


def test_accept_touches_nothing_when_something_else_fails(project: Project, rehearser: Rehearser) -> None:
    document = write(project, "a.md", cell("SELECT 1;", expected="old"), cell("SELECT 1/0;"))
    before = document.path.read_bytes()
    result, changed = rehearser.accept(document, MAJOR)
    assert not result.green
    assert changed == []
    assert document.path.read_bytes() == before


# --- what is kept, and what is left -----------------------------------------------------------------


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for everything a run makes, which the server's user may write to."""
    path = Path(tempfile.mkdtemp(prefix="pgr-t-", dir="/tmp"))
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def environment(place: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "PGREHEARSE_SERVER" and not k.startswith("PYTEST")}
    return {**kept, "TMPDIR": str(place), **more}


def servers_in(place: Path) -> list[Path]:
    return [path.parent for path in place.glob("pgr-*/.s.PGSQL.5432")]


def test_a_failed_document_is_kept_and_opens_again(project: Project, place: Path) -> None:
    cells = [cell("CREATE TABLE left_behind AS SELECT 42 AS answer;"), cell("SELECT 1/0;")]
    write(project, "fails.md", *cells)
    write(project, "passes.md", cell("SELECT 1;"))
    env = environment(place, PGREHEARSE_CACHE=str(place / "cache"))
    done = subprocess.run(
        [*COMMAND, "test"],
        cwd=project.root,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "docs/fails.md:11: it raised SQLSTATE 22012" in done.stdout
    assert "ok    docs/passes.md" in done.stdout
    assert servers_in(place) == []
    line = re.search(r"^\s+pgrehearse psql (\S+)$", done.stdout, re.M)
    assert line is not None, done.stdout
    opened = subprocess.run(
        [*COMMAND, "psql", line[1], "-XAtc", "SELECT answer FROM left_behind"],
        cwd=project.root, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (opened.stdout, opened.returncode) == ("42\n", 0), opened.stderr
    listed = subprocess.run(
        [*COMMAND, "psql", line[1], "-XAtc", "SELECT datname FROM pg_database WHERE datname ~ '^pgrehearse'"],
        cwd=project.root, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert listed.stdout.split() == [line[1].partition("/")[2]], "only the failed one is kept"
    assert servers_in(place) == []


def test_no_keep_keeps_nothing(project: Project, server: Server) -> None:
    document = write(project, "a.md", cell("SELECT 1/0;"))
    with Rehearser(project, Servers(), keep=False) as rehearser:
        result = rehearser.rehearse(document, MAJOR)
        assert (result.green, result.psql_line) == (False, "")
        (only,) = rehearser._databases.values()
        only.close()
        assert databases(only.server) == STANDARD


def test_a_killed_server(project: Project, rehearser: Rehearser) -> None:
    """The document that killed it fails with a clean report; the next one gets a new server."""
    kill = (
        "```python\nimport os, pathlib, signal\n"
        "data = pathlib.Path(os.environ['PGHOST']) / 'data'\n"
        "os.kill(int((data / 'postmaster.pid').read_text().split()[0]), signal.SIGKILL)\n```\n"
    )
    first = write(
        project,
        "a.md",
        cell("SELECT 1;"),
        kill,
        cell("SELECT pg_sleep(20);"),
        cell("SELECT 3;", 'session="new"'),
    )
    second = write(project, "b.md", cell("SELECT 1;"))
    result = rehearser.rehearse(first, MAJOR, second)
    assert [r.status for r in result.cells] == ["passed", "passed", "failed", "notrun"]
    report = result.report("a.md")
    assert f"a.md:{first.cells[2].first_line}: the connection was lost" in report
    assert "the server ended" in "".join(result.notes)
    assert result.psql_line == "", "nothing can be opened again"
    assert rehearser.rehearse(second, MAJOR).green


def test_a_crashed_backend(project: Project, rehearser: Rehearser) -> None:
    """PostgreSQL restarts by itself; the next document waits for that."""
    kill = (
        "```python\nimport os, signal, psycopg\n"
        "with psycopg.connect() as c:\n    os.kill(c.info.backend_pid, signal.SIGKILL)\n"
        "    c.execute('SELECT 1')\n```\n"
    )
    first = write(project, "a.md", cell("BEGIN;"), kill, cell("SELECT 2;"))
    second = write(project, "b.md", cell("SELECT 1;"))
    result = rehearser.rehearse(first, MAJOR, second)
    assert [r.status for r in result.cells] == ["passed", "failed", "notrun"]
    for _ in range(3):
        assert rehearser.rehearse(second, MAJOR, second).green


SLEEPS = """
```python
import subprocess
child = subprocess.Popen(["sleep", "600"])
```

```sql session="app"
SELECT pg_advisory_lock(1);
```

```sql session="b" wait="app"
SELECT pg_advisory_lock(1);
```

```sql timeout="10min"
SELECT pg_sleep(600) AS the_long_one;
```
"""


def children(pid: int) -> set[int]:
    """All descendants of a process, from the system's process list."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, todo = set(), [pid]
    while todo:
        for child in parents.get(todo.pop(), []):
            found.add(child)
            todo.append(child)
    return found


def running(pids: set[int]) -> set[int]:
    left = set()
    for pid in pids:
        try:
            state = (
                Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()[0]
            )
        except OSError:
            continue
        if state != "Z":
            left.add(pid)
    return left


def sleeping(dsn: str) -> bool:
    """Whether the long statement is under way on that server."""
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            found = connection.execute(
                "SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%' AND state = 'active'"
                " AND wait_event = 'PgSleep'"
            )
            return found.rowcount > 0
    except psycopg.OperationalError:
        return False


def interrupted(
    project: Project, env: dict[str, str], ready: Callable[[], bool]
) -> tuple[int, str, set[int]]:
    """Run the project's documents, send Ctrl-C when ``ready``; exit status, output, processes it had."""
    process = subprocess.Popen(
        [*COMMAND, "test"],
        cwd=project.root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until(ready, "the statement is under way", limit=60)
        had = children(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, output, had


def test_ctrl_c_leaves_nothing(project: Project, place: Path) -> None:
    write(project, "a.md", SLEEPS)

    def ready() -> bool:
        return any(
            sleeping(f"host={path} port=5432 user=postgres dbname=postgres") for path in servers_in(place)
        )

    status, output, had = interrupted(project, environment(place), ready)
    assert status == 130, output
    assert "interrupted" in output
    assert "Traceback" not in output
    assert len(had) > 5
    wait_until(lambda: not running(had), "every process ends")
    wait_until(lambda: list(place.glob("pgr-*")) == [], "every directory goes")


@pytest.fixture
def marked(server: Server) -> Iterator[str]:
    """The connection string of a database that says it may be played with."""
    name = f"play_{secrets.token_hex(4)}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        mark = sql.SQL("ALTER DATABASE {} SET pgrehearse.environment = 'test'")
        admin.execute(mark.format(sql.Identifier(name)))
        yield server.dsn(name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.parametrize("moment", ["in a cell", "while the template is built"])
def test_ctrl_c_leaves_no_database_on_somebody_else_s_server(
    project: Project, place: Path, server: Server, marked: str, moment: str
) -> None:
    if moment == "in a cell":
        write(project, "a.md", SLEEPS)
    else:
        project.seed.write_text("SELECT pg_sleep(600) AS the_long_one;\n", "utf-8")
        write(project, "a.md", cell("SELECT 1;"))
    before = databases(server)
    status, output, had = interrupted(
        project, environment(place, PGREHEARSE_SERVER=marked), lambda: sleeping(server.dsn())
    )
    assert status == 130, output
    assert "Traceback" not in output
    wait_until(lambda: not running(had), "every process ends")
    assert databases(server) == before
    assert not sleeping(server.dsn())
    assert server.alive()


def test_a_url_server_is_left_as_it_was(project: Project, place: Path, server: Server, marked: str) -> None:
    """A failed document's database stays, and the printed line opens it."""
    write(project, "a.md", cell("SELECT 1;"))
    write(project, "b.md", cell("CREATE TABLE left_behind AS SELECT 42 AS answer;\nSELECT 1/0;"))
    before = databases(server)
    env = environment(place, PGREHEARSE_SERVER=marked)
    done = subprocess.run(
        [*COMMAND, "test"],
        cwd=project.root,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (kept,) = databases(server) - before
    line = next(text for text in done.stdout.split("\n") if kept in text)
    shown = subprocess.run(
        ["/bin/sh", "-c", f"{line.strip()} -XAtc 'SELECT answer FROM left_behind'"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert shown.stdout == "42\n"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(kept)))


def test_the_record_is_json_that_a_person_can_read(project: Project, rehearser: Rehearser) -> None:
    rehearser.rehearse(write(project, "a.md", cell("SELECT 'é';")), MAJOR)
    (file,) = (project.records / "records").glob("*.json")
    assert json.loads(file.read_text("utf-8"))["document"] == "docs/a.md"
