"""Rehearsals that fail, crash, or are interrupted: what is kept, and what is left."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from pgrehearse.execution.rehearser import Rehearser
from pgrehearse.servers import Server, Servers
from pgrehearse.text.project import Project
from support.databases import STANDARD, execute, fresh, names
from support.majors import TEST_MAJOR
from support.processes import PGREHEARSE, alive, call, clean_environment, descendants, end, start
from support.projects import fence, write_document
from support.waiting import LIMIT, wait_until


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for everything a run makes, which the server's user may write to."""
    path = Path(tempfile.mkdtemp(prefix="pgr-t-", dir="/tmp"))
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def environment(place: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in clean_environment().items() if k != "PGREHEARSE_SERVER"}
    return {**kept, "TMPDIR": str(place), **more}


def servers_in(place: Path) -> list[Path]:
    return [path.parent for path in place.glob("pgr-*/.s.PGSQL.5432")]


def test_a_failed_document_is_kept_and_opens_again(project: Project, place: Path) -> None:
    cells = [fence("CREATE TABLE left_behind AS SELECT 42 AS answer;"), fence("SELECT 1/0;")]
    write_document(project, "fails.md", *cells)
    write_document(project, "passes.md", fence("SELECT 1;"))
    env = environment(place, PGREHEARSE_CACHE=str(place / "cache"))
    done = call((*PGREHEARSE, "test"), project.root, env)
    assert done.status == 1, done.said
    assert "docs/fails.md:11: it raised SQLSTATE 22012" in done.out
    assert "ok    docs/passes.md" in done.out
    assert servers_in(place) == []
    line = re.search(r"^\s+pgrehearse psql (\S+)$", done.out, re.M)
    assert line is not None, done.out
    opened = call(
        (*PGREHEARSE, "psql", line[1], "-XAtc", "SELECT answer FROM left_behind"), project.root, env
    )
    assert (opened.out, opened.status) == ("42\n", 0), opened.err
    listed = call(
        (
            *PGREHEARSE,
            "psql",
            line[1],
            "-XAtc",
            "SELECT datname FROM pg_database WHERE datname ~ '^pgrehearse'",
        ),
        project.root,
        env,
    )
    assert listed.out.split() == [line[1].partition("/")[2]], "only the failed one is kept"
    assert servers_in(place) == []


def test_no_keep_keeps_nothing(project: Project, server: Server) -> None:
    document = write_document(project, "a.md", fence("SELECT 1/0;"))
    with Rehearser(project, Servers(), keep=False) as rehearser:
        result = rehearser.rehearse(document, TEST_MAJOR)
        assert (result.green, result.psql_line) == (False, "")
        (only,) = rehearser._databases.values()
        only.close()
        assert names(only.server) == STANDARD


def test_a_killed_server(project: Project, rehearser: Rehearser) -> None:
    """The document that killed it fails with a clean report; the next one gets a new server."""
    kill = (
        "```python\nimport os, pathlib, signal\n"
        "data = pathlib.Path(os.environ['PGHOST']) / 'data'\n"
        "os.kill(int((data / 'postmaster.pid').read_text().split()[0]), signal.SIGKILL)\n```\n"
    )
    first = write_document(
        project,
        "a.md",
        fence("SELECT 1;"),
        kill,
        fence("SELECT pg_sleep(20);"),
        fence("SELECT 3;", 'session="new"'),
    )
    second = write_document(project, "b.md", fence("SELECT 1;"))
    result = rehearser.rehearse(first, TEST_MAJOR, second)
    assert [r.status for r in result.cells] == ["passed", "passed", "failed", "notrun"]
    report = result.report("a.md")
    assert f"a.md:{first.cells[2].first_line}: the connection was lost" in report
    assert "the server ended" in "".join(result.notes)
    assert result.psql_line == "", "nothing can be opened again"
    assert rehearser.rehearse(second, TEST_MAJOR).green


def test_a_crashed_backend(project: Project, rehearser: Rehearser) -> None:
    """PostgreSQL restarts by itself; the next document waits for that."""
    kill = (
        "```python\nimport os, signal, psycopg\n"
        "with psycopg.connect() as c:\n    os.kill(c.info.backend_pid, signal.SIGKILL)\n"
        "    c.execute('SELECT 1')\n```\n"
    )
    first = write_document(project, "a.md", fence("BEGIN;"), kill, fence("SELECT 2;"))
    second = write_document(project, "b.md", fence("SELECT 1;"))
    result = rehearser.rehearse(first, TEST_MAJOR, second)
    assert [r.status for r in result.cells] == ["passed", "failed", "notrun"]
    for _ in range(3):
        assert rehearser.rehearse(second, TEST_MAJOR, second).green


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
    process = start((*PGREHEARSE, "test"), project.root, env)
    try:
        wait_until(ready, "the statement is under way", limit=LIMIT)
        had = descendants(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT)
    finally:
        end(process)
    return process.returncode, out + err, had


def test_ctrl_c_leaves_nothing(project: Project, place: Path) -> None:
    write_document(project, "a.md", SLEEPS)

    def ready() -> bool:
        return any(
            sleeping(f"host={path} port=5432 user=postgres dbname=postgres") for path in servers_in(place)
        )

    status, output, had = interrupted(project, environment(place), ready)
    assert status == 130, output
    assert "interrupted" in output
    assert "Traceback" not in output
    assert len(had) > 5
    wait_until(lambda: not any(map(alive, had)), "every process ends")
    wait_until(lambda: list(place.glob("pgr-*")) == [], "every directory goes")


@pytest.fixture
def marked(server: Server) -> Iterator[str]:
    """The connection string of a database that says it may be played with."""
    with fresh(server, "test", prefix="play") as dsn:
        yield dsn


@pytest.mark.parametrize("moment", ["in a cell", "while the template is built"])
def test_ctrl_c_leaves_no_database_on_somebody_else_s_server(
    project: Project, place: Path, server: Server, marked: str, moment: str
) -> None:
    if moment == "in a cell":
        write_document(project, "a.md", SLEEPS)
    else:
        project.seed.write_text("SELECT pg_sleep(600) AS the_long_one;\n", "utf-8")
        write_document(project, "a.md", fence("SELECT 1;"))
    before = names(server)
    status, output, had = interrupted(
        project, environment(place, PGREHEARSE_SERVER=marked), lambda: sleeping(server.dsn())
    )
    assert status == 130, output
    assert "Traceback" not in output
    wait_until(lambda: not any(map(alive, had)), "every process ends")
    assert names(server) <= before  # what other tests kept there may go meanwhile
    assert not sleeping(server.dsn())
    assert server.alive()


def test_a_url_server_is_left_as_it_was(project: Project, place: Path, server: Server, marked: str) -> None:
    """A failed document's database stays, and the printed line opens it."""
    write_document(project, "a.md", fence("SELECT 1;"))
    write_document(project, "b.md", fence("CREATE TABLE left_behind AS SELECT 42 AS answer;\nSELECT 1/0;"))
    before = names(server)
    env = environment(place, PGREHEARSE_SERVER=marked)
    done = call((*PGREHEARSE, "test"), project.root, env)
    assert done.status == 1, done.said
    (kept,) = names(server) - before
    line = next(text for text in done.out.split("\n") if kept in text)
    shown = subprocess.run(
        ["/bin/sh", "-c", f"{line.strip()} -XAtc 'SELECT answer FROM left_behind'"],
        capture_output=True, text=True, check=True, timeout=LIMIT,
    )  # fmt: skip
    assert shown.stdout == "42\n"
    execute(server.dsn(), f'DROP DATABASE "{kept}"')
