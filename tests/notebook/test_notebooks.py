"""Notebooks in a real kernel: every runbook and guide from top to bottom, and what must stop one."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from nbclient.exceptions import CellExecutionError
from psycopg.conninfo import conninfo_to_dict

from pgrehearse.environments.connection_strings import environment_variables
from pgrehearse.errors import DocumentError
from pgrehearse.execution.rehearser import Rehearser, run_cells
from pgrehearse.notebook.export import to_notebook
from pgrehearse.servers import Server, libpq_environment
from pgrehearse.text.document import load
from pgrehearse.text.project import Project
from support import ROOT, databases
from support.kernels import Kernel
from support.majors import LATER, LATER_SAID, TEST_MAJOR
from support.poolers import proxy_before
from support.projects import HEAD, fence
from support.waiting import LIMIT

Kernels = Callable[[dict[str, str]], AbstractContextManager[Kernel]]
Marked = Callable[[str | None], AbstractContextManager[dict[str, str]]]

RUNBOOKS = sorted((ROOT / "runbooks").glob("*.md"))
ALL_GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
#: A notebook would run the commands of a page in the reader's own folder.
GUIDES = [path for path in ALL_GUIDES if not load(path).front.bash]


def code(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_documents() -> None:
    assert len(RUNBOOKS) >= 12
    assert len(GUIDES) >= 3


def test_a_page_of_commands_is_no_notebook() -> None:
    path = next(path for path in ALL_GUIDES if path not in GUIDES)
    with pytest.raises(DocumentError, match="a notebook would run them in yours"):
        to_notebook(load(path), path.name)


@pytest.mark.parametrize("path", [*RUNBOOKS, *GUIDES], ids=lambda path: path.stem)
def test_every_document_runs_as_a_notebook(
    path: Path, repository: Project, rehearser: Rehearser, kernel: Kernels
) -> None:
    document = load(path)
    for program in document.front.programs:
        if shutil.which(program) is None:
            pytest.skip(f"{path.stem} needs {program}, which is not on PATH here (make programs, on Debian)")
    sources = code(to_notebook(document, repository.relative(path)))
    rehearsal = [cell for cell in document.cells if cell.phase == "Rehearsal"]
    opening = 2 if document.is_runbook else 1
    told = [source for source in sources if "pgrehearse.run" in source and "--only back" in source]
    assert len(told) == int(document.is_runbook), "a roll back is told to the ledger of runs"
    assert len(sources) == opening + len(told) + len(document.cells) - len(rehearsal), (
        "one cell each, none lost"
    )
    with rehearser.fresh(document, TEST_MAJOR) as fresh:
        with fresh.executor(document) as executor:
            failures = [result for result in run_cells(executor, rehearsal, rehearsal) if result.failure]
        assert not failures
        with kernel(libpq_environment(fresh.server.env(fresh.name))) as running:
            for back in (False, True) if document.is_runbook else (False,):
                running.run(sources[0])
                running.run(f"globals().update({document.front.examples()!r}, roll_back={back})")
                printed = [(source, running.run(source)) for source in sources[1:]]
                if document.is_runbook:
                    cells = [cell for cell in document.cells if cell.phase != "Rehearsal"]
                    texts = [text for source, text in printed[1:] if source not in told]
                    for cell, text in zip(cells, texts, strict=True):
                        assert ("not run: " in text) == ((cell.phase == "Roll back") != back), cell.line


# --- what stops a notebook --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "%%sql\nSELECT 1 AS a;\n-- expected output:\n--  a\n-- ---\n--  2\n-- (1 row)",
            ["line 3: the output differs", "SELECT 1 AS a;", "- 2", "+ 1"],
        ),
        ("%%sql\nSELECT 1;\n\nSELECT 1 / 0;", ["line 4: it raised SQLSTATE 22012", "division by zero"]),
        (
            "%%sql --expect 22012\nSELECT 'x'::int;",
            ["line 2: SQLSTATE 22012 was expected, it raised 22P02", 'expect="22P02"'],
        ),
        ("%%sql --expect 22012\nSELECT 1;", ["line 2: nothing was raised; SQLSTATE 22012 was expected"]),
        ("%%sql --expekt 22012\nSELECT 1;", ["unrecognized arguments: --expekt", "--expect"]),
        ("%%sql --expect 22\nSELECT 1;", ['expect="22" is no valid value', "five-character SQLSTATE"]),
        ("%%sql --only sideways\nSELECT 1;", ["invalid choice: 'sideways'"]),
        ("%%sql --session 'x\nSELECT 1;", ["%%sql: No closing quotation"]),
        ("%%sql --wait nobody\nSELECT 1;", ["line 1: session nobody is not open"]),
        ("%%sql\nSELECT 'x", ["line 2: unterminated quote"]),
        ("%%sql\nSELECT 1;\n\\dt", ["line 3: psql command \\dt is not SQL"]),
        ("%%sql\n-- nothing", ["the cell holds no statement"]),
        ("%%sql\nSELECT :'nobody';", ["variable 'nobody' has no value", 'nobody = "..."']),
        ("nothing_yet = None\nget_ipython().run_cell_magic('sql', '', \"SELECT :'nothing_yet'\")",
         ["variable 'nothing_yet' has no value"]),
        ("nul = 'a\\0b'\nget_ipython().run_cell_magic('sql', '', \"SELECT :'nul'\")",
         ["holds U+0000 NUL"]),
        (
            "%%cell\nprint('one')\n# expected output:\n# two",
            ["line 3: the output differs", "-two", "+one"],
        ),
        ("%%cell\nx = 1\n\nraise ValueError(x)", ["ValueError: 1", "----> 4 raise ValueError(x)"]),
        ("%%cell --session app\nprint(1)", ["option 'session' is for sql cells"]),
    ],
)  # fmt: skip
def test_what_stops_a_notebook(notebook: Kernel, source: str, said: list[str]) -> None:
    with pytest.raises(CellExecutionError) as caught:
        notebook.run(source)
    text = plain(str(caught.value))
    for part in said:
        assert part in text
    if source.startswith("%%sql"):
        assert "Traceback" not in text
        assert "magic.py" not in text


def plain(text: str) -> str:
    """Without terminal colors."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_what_is_as_written_goes_on(notebook: Kernel) -> None:
    assert notebook.run("%%sql\nSELECT 1 AS a;").endswith(" a\n---\n 1\n(1 row)\n")
    assert "division by zero" in notebook.run("%%sql --expect 22012\nSELECT 1 / 0;")
    notebook.run('label = "x\'); DROP TABLE t;--"')
    assert "x'); DROP TABLE t;--" in notebook.run("%%sql\nSELECT :'label' AS a;")
    with_output = "%%cell\nprint('one')\nprint()\nprint(' two')\n# expected output:\n# one\n#\n#  two"
    assert notebook.run(with_output) == "one\n\n two\n"
    option = "--" + LATER.replace("=", " ").replace('"', "")
    assert "skipped: for PostgreSQL " in notebook.run(f"%%cell {option}\nraise ValueError")
    assert LATER_SAID in notebook.run(f"%%sql {option}\nSELECT wrong;")


def test_sessions_and_waits(notebook: Kernel) -> None:
    notebook.run("%%sql --session one\nCREATE TABLE waited (a int);\nBEGIN;\nLOCK TABLE waited;")
    waiting = notebook.run("%%sql --session two --wait one\nSELECT count(*) FROM waited;")
    assert "session two waits for session one" in waiting
    done = notebook.run("%%sql --session one\nCOMMIT;")
    assert "COMMIT" in done
    assert "session two has completed:" in done
    with pytest.raises(CellExecutionError, match="completed without waiting"):
        notebook.run("%%sql --session two --wait one\nSELECT count(*) FROM waited;")


OK = "-- expected output:\n--  preflight\n-- -----------\n--  ok\n-- (1 row)"


@pytest.mark.parametrize(
    ("value", "check", "said"),
    [
        ("x", f"SELECT 'stop: no ' || :'word' AS preflight;\n{OK}", "refused: no x\n  next: resolve what"),
        (
            "Near_Name",
            "SELECT :'word'::regclass;",
            '\nword=Near_Name: there is the table public."Near_Name"\n',
        ),
        (
            '"near_name"',
            f"SELECT CASE WHEN to_regclass(:'word') IS NULL THEN 'stop: none' END AS preflight;\n{OK}",
            'refused: none\n  word="near_name": there is the table public."Near_Name"\n  next: resolve what',
        ),
    ],
)
def test_a_refusal_says_its_reason_first_and_what_a_name_may_mean(
    notebook: Kernel, value: str, check: str, said: str
) -> None:
    notebook.run('%%sql\nCREATE TABLE IF NOT EXISTS public."Near_Name" ();')
    notebook.run(f"word = {value!r}")
    with pytest.raises(CellExecutionError) as caught:
        notebook.run(f"%%sql --only checks\n{check}")
    text = plain(str(caught.value))
    assert said in text
    assert "--accept" not in text


def test_variables_that_hold_names_are_read_as_a_run_reads_them(notebook: Kernel) -> None:
    opening = to_notebook(load(ROOT / "runbooks" / "constraint-foreign-key.md"), "x.md").cells[1].source
    assert (
        "%kinds table=relation columns=names target=relation target_columns=names constraint=name" in opening
    )
    notebook.run("%kinds t=relation c=names")
    notebook.run("""t, c = 'app.Order', '"userId", b'; word = '"A"'""")
    said = notebook.run("%%sql\nSELECT :'t' || ' ' || :'c' || ' ' || :'word' AS a;")
    assert """app."Order" userId, b "A\"""" in said
    notebook.run("t = 'a.b.c'")
    with pytest.raises(CellExecutionError, match=r"the variable 't': a\.b\.c has more than one dot"):
        notebook.run("%%sql\nSELECT :'t';")
    with pytest.raises(CellExecutionError, match="%kinds: t=table says no kind"):
        notebook.run("%kinds t=table")


def test_the_stop_button_ends_the_statement_and_leaves_the_session_usable(notebook: Kernel) -> None:
    notebook.run("%%sql --session stopped\nSET work_mem = '77MB';")
    printed = notebook.run("import json, os; print(json.dumps(dict(os.environ)))")
    environment = json.loads(printed)

    def press() -> None:
        while not busy(environment):
            time.sleep(0.02)
        notebook.client.km.provisioner.process.send_signal(signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    with pytest.raises(CellExecutionError, match="KeyboardInterrupt"):
        notebook.run("%%sql --session stopped\nSELECT pg_sleep(60);")
    presser.join()
    assert "77MB" in notebook.run("%%sql --session stopped\nSHOW work_mem;")


def busy(environment: dict[str, str]) -> bool:
    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname"}
    parts = {names[name]: value for name, value in environment.items() if name in names}
    with psycopg.connect("", **parts) as connection:
        found = connection.execute(
            "SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
            " AND datname = current_database()"
        )
        return found.rowcount == 1


@pytest.mark.parametrize(
    ("mark", "source", "said"),
    [
        (None, "%%sql\nSELECT 1;", ["does not say which environment", "ALTER DATABASE"]),
        (None, "%%cell\nprint(6 * 7)", ["does not say which environment"]),
        ("production", "%%cell\nprint(6 * 7)", ["is production"]),
        (None, "%rehearsal", ["does not say which environment"]),
        ("staging", "%rehearsal", ["is marked 'staging'", "use a database marked disposable"]),
        ("production", "%%sql\nSELECT 1;", ["is production", "run the cells one by one: production = "]),
    ],
)
def test_a_database_that_is_not_marked_for_it_is_refused(
    kernel: Kernels, marked: Marked, mark: str | None, source: str, said: list[str]
) -> None:
    with marked(mark) as environment, kernel(environment) as running:
        running.run("%load_ext pgrehearse.notebook")
        with pytest.raises(CellExecutionError) as caught:
            running.run(source)
        for part in said:
            assert part in str(caught.value)
        assert "Traceback" not in str(caught.value)
        assert "42" not in str(caught.value).splitlines(), "Python reaches the database without us"
        if mark == "staging":
            assert "1 row" in running.run("%%sql\nSELECT 1;"), "a runbook may run there"
        if mark == "production":
            running.run("import os; production = os.environ['PGDATABASE']")
            assert "1 row" in running.run("%%sql\nSELECT 1;")


def test_a_pooler_is_refused(kernel: Kernels, server: Server) -> None:
    with databases.fresh(server, "test") as dsn, proxy_before(dsn) as pooled:
        parts = {name: str(value) for name, value in conninfo_to_dict(pooled).items()}
        with kernel(environment_variables(parts)) as running:
            running.run("%load_ext pgrehearse.notebook")
            for source in ("%%sql\nSELECT 1;", "%%cell\nprint(6 * 7)", "%rehearsal"):
                with pytest.raises(CellExecutionError, match="goes through a pooler"):
                    running.run(source)


def test_checks_only_look(notebook: Kernel) -> None:
    notebook.run("%%sql\nDROP TABLE IF EXISTS looked; CREATE TABLE looked (n int);")
    connects = "import psycopg\nwith psycopg.connect() as c:\n    c.execute('INSERT INTO looked VALUES (1)')"
    for magic, source in [
        ("%%sql", "INSERT INTO looked VALUES (1);"),
        ("%%sql", "SET default_transaction_read_only = off; INSERT INTO looked VALUES (1);"),
        ("%%sql", "BEGIN READ WRITE; INSERT INTO looked VALUES (1); COMMIT;"),
        ("%%cell", connects),
    ]:
        with pytest.raises(CellExecutionError, match=r"25006|ReadOnlySqlTransaction"):
            notebook.run(f"{magic} --only checks\n{source}")
    assert " 0\n" in notebook.run("%%sql --only checks\nSELECT count(*) FROM looked;")
    notebook.run(f"%%cell --only forward\n{connects}")
    notebook.run("%%sql --only forward\nINSERT INTO looked VALUES (1);")
    assert " 2\n" in notebook.run("%%sql --only checks\nSELECT count(*) FROM looked;")


# --- the command --------------------------------------------------------------------------------------


PHASES = ("Preflight", "Apply", "Verify", "Roll back")
RUNBOOK = HEAD + "\n".join(f"## {phase}\n\n{fence('SELECT 1;')}" for phase in PHASES)


def export(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pgrehearse", "export", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)


def test_the_command_writes_and_refuses(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "sample.md").write_text(RUNBOOK, "utf-8")
    done = export(tmp_path, "sample", "--to", "ipynb")
    assert (done.returncode, done.stdout) == (0, "wrote sample.ipynb\n"), done.stderr
    done = export(tmp_path, "sample", "-o", "by-its-name.sql")
    assert (done.returncode, done.stdout) == (0, "wrote by-its-name.sql\n"), done.stderr
    for unsaid in (("sample",), ("sample", "-o", "x.txt"), ("sample", "-o", "-")):
        done = export(tmp_path, *unsaid)
        assert (done.returncode, "--to ipynb or --to sql" in done.stderr) == (2, True), done.stderr
    printed, written = (export(tmp_path, "sample", "--to", "sql", "-o", place) for place in ("-", "s.sql"))
    assert (printed.stdout, written.stdout) == ((tmp_path / "s.sql").read_text("utf-8"), "wrote s.sql\n")
    assert not (tmp_path / "-").exists()
    done = export(tmp_path, "runbooks/sample.md", "--to", "sql", "-o", "nowhere/sample.sql")
    assert done.returncode == 69
    assert "nowhere/sample.sql: cannot be written: " in done.stderr
    assert not list(tmp_path.rglob("*.tmp"))
    done = export(tmp_path, "sampel", "--to", "sql")
    assert done.returncode == 65
    assert "did you mean 'sample'?" in done.stderr
