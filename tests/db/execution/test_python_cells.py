"""Python cells: an ordinary interpreter, and whatever a cell does to it ends with that cell."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from pgrehearse.execution.executor import Executor
from pgrehearse.execution.python_cell import PythonCells
from pgrehearse.execution.rehearser import run_cells
from pgrehearse.execution.results import CellResult
from pgrehearse.servers import Server
from pgrehearse.text.document import parse
from support.processes import alive
from support.projects import fence
from support.waiting import wait_until

Run = Callable[..., list[CellResult]]
cell = partial(fence, language="python")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Run Python cells without a server; ``environment`` may name one."""

    def run(
        *texts: str,
        values: dict[str, str] | None = None,
        environment: dict[str, str] | None = None,
        timeout: float = 20,
    ) -> list[CellResult]:
        path = tmp_path / "page.md"
        path.write_text("# Page\n" + "\n".join(texts), "utf-8")
        document = parse(path.read_text("utf-8"), path)
        executor = Executor(
            "", environment=environment or {}, path=path, major=18, values=values, timeout=timeout
        )
        with executor:
            return run_cells(executor, document.in_order(), document.cells)

    yield run


def failure(results: list[CellResult], position: int = -1) -> tuple[int, str]:
    found = results[position].failure
    assert found is not None, results[position]
    assert found.next_step
    return found.line, found.message


def test_output_is_compared_and_variables_stay(run: Run) -> None:
    results = run(cell("x = 1\nprint('é', x)", expected="é 1"), cell("x += 1\nprint(x)", expected="2"))
    assert [r.status for r in results] == ["passed", "passed"]
    assert failure(run(cell("print(1)", expected="2"))) == (5, "the output differs")


def test_parameters_are_variables_and_may_be_changed(run: Run) -> None:
    results = run(
        cell("print(label)\nlabel = label + '!'", expected='it\'s \\ "x"'),
        cell("print(label)", expected='it\'s \\ "x"!'),
        values={"label": 'it\'s \\ "x"'},
    )
    assert [r.status for r in results] == ["passed", "passed"]


def test_a_connection_without_arguments(run: Run, server: Server) -> None:
    source = (
        "import psycopg\n"
        "with psycopg.connect() as c:\n"
        "    print(c.execute('SELECT current_database()').fetchone()[0])"
    )
    results = run(cell(source, expected="template1"), environment=server.env("template1"))
    assert results[0].status == "passed", results[0].failure


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("x = 1\n\nraise ValueError('no')", 5, "ValueError: no"),
        ("def f():\n    return 1 / 0\n\nf()", 4, "ZeroDivisionError: division by zero"),
        ("import json\njson.loads('{')", 4, "json.decoder.JSONDecodeError: Expecting property name"),
        ("x = 1\nif x\n    y", 4, "SyntaxError: expected ':'"),
        ("x = '''", 3, "SyntaxError: unterminated triple-quoted string literal"),
        ("    x = 1", 3, "IndentationError: unexpected indent"),
        ("import sys\nsys.exit(3)", 4, "SystemExit: 3"),
        ("x = 1\nnope", 4, "NameError: name 'nope' is not defined"),
        ("raise Exception('a\\nb')", 3, "b"),
        ("assert 1 == 2, 'not equal'", 3, "AssertionError: not equal"),
        ("input()", 3, "EOFError: EOF when reading a line"),
        ("def f(): f()\nf()", 3, "RecursionError"),
    ],
)
def test_errors_name_the_line_of_the_document(run: Run, source: str, line: int, message: str) -> None:
    results = run(cell(source), cell("print(1)"))
    assert [r.status for r in results] == ["failed", "notrun"]
    found = failure(results, 0)
    assert found[0] == line
    assert message in found[1]


def test_the_traceback_shows_the_reader_s_lines_only(run: Run, tmp_path: Path) -> None:
    results = run(cell("def inner():\n    raise KeyError('k')"), "text\n", cell("inner()"))
    detail = results[1].failure.detail if results[1].failure else ""
    assert f'File "{tmp_path / "page.md"}", line 4, in inner' in detail
    assert "python_worker" not in detail
    assert "raise KeyError('k')" in detail


def test_closed_before_a_cell_was_run(tmp_path: Path) -> None:
    """A cell before it failed. Its process is ready, and nobody reads what was not sent yet."""
    cells = PythonCells(tmp_path / "page.md", {}, {})
    cells.warm()
    cells.close()


def test_output_before_the_error_is_not_lost(run: Run) -> None:
    results = run(cell("print('got here')\nraise ValueError"))
    assert results[0].output == "got here"


def test_an_endless_loop_ends(run: Run) -> None:
    results = run(cell("while True:\n    pass", 'timeout="300ms"'), cell("print(1)"))
    assert [r.status for r in results] == ["failed", "notrun"]
    assert failure(results, 0) == (3, "the cell did not finish in time")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import os\nos._exit(7)", "the Python process ended with status 7"),
        ("import os\nos.kill(os.getpid(), 9)", "the Python process ended with status -9"),
    ],
)
def test_an_interpreter_that_ends(run: Run, source: str, message: str) -> None:
    results = run(cell("print(1)"), cell(source), cell("print(1)"))
    assert [r.status for r in results] == ["passed", "failed", "notrun"]
    assert failure(results, 1) == (7, message)


def test_child_processes_do_not_disturb_the_answers(run: Run) -> None:
    """They print to the terminal, and read nothing of ours."""
    source = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "print('{}')"], check=True)
subprocess.run(["cat"], check=True)
sys.stdout.flush()
print("done")
sys.__stdout__.write("to the terminal\\n")
"""
    assert [r.status for r in run(cell(source, expected="done"), cell("print(2)", expected="2"))] == [
        "passed"
    ] * 2


def test_what_a_cell_started_ends_with_the_document(run: Run, tmp_path: Path) -> None:
    file = str(tmp_path / "pid")
    source = (
        f"import subprocess\np = subprocess.Popen(['sleep', '600'])\nopen({file!r}, 'w').write(str(p.pid))"
    )
    assert run(cell(source))[0].status == "passed"
    pid = int((tmp_path / "pid").read_text("utf-8"))
    wait_until(lambda: not alive(pid), "the child ends")


def test_large_answers(run: Run) -> None:
    results = run(cell("print('x' * 3_000_000)\nprint('\\ud800', chr(0))"))
    assert len(results[0].output) == 3_000_009  # the half of a pair is spelled


RAISES = "import threading, _thread, time\ndef work():\n    raise ValueError('of no use')\n"


@pytest.mark.parametrize(
    "rest",
    [
        "t = threading.Thread(target=work)\nt.start()\nt.join()",
        "t = threading.Timer(0, work)\nt.start()\nt.join()",
        "class T(threading.Thread):\n    run = staticmethod(work)\nt = T()\nt.start(); t.join()",
        "begun = []\n_thread.start_new_thread(lambda: (begun.append(1), work()), ())\n"
        "while not begun or _thread._count(): time.sleep(0.01)",
    ],
)
def test_what_a_thread_raised_is_the_cell_s(run: Run, rest: str) -> None:
    results = run(cell(RAISES + rest), cell("print(1)"))
    assert failure(results, 0) == (5, "in a thread: ValueError: of no use")
    assert results[1].status == "notrun"


def test_what_a_thread_raises_later_is_the_next_cell_s(run: Run) -> None:
    begun = "e = threading.Event()\nt = threading.Thread(target=lambda: (e.wait(), work()))\nt.start()"
    results = run(cell(RAISES + begun), cell("e.set()\nt.join()"))
    assert [result.status for result in results] == ["passed", "failed"]
    assert failure(results)[1] == "in a thread: ValueError: of no use"


@pytest.mark.parametrize(
    "source",
    [
        "import sys, threading\nt = threading.Thread(target=sys.exit)\nt.start(); t.join()",
        "class D:\n    def __del__(self): raise ValueError\nD()",
        "def work():\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        pass\n"
        "import threading\nt = threading.Thread(target=work)\nt.start(); t.join()",
    ],
    ids=["exit", "destructor", "caught"],
)
def test_what_is_no_failure_of_a_thread(run: Run, source: str) -> None:
    assert run(cell(source))[0].status == "passed"


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nwhile True: sys.stderr.write('words ' * 1000)",
        "import os\nos.write(2, b'x' * 5_000_000)",
        "import subprocess\nsubprocess.run(['head', '-c', '9000000', '/dev/zero'], stdout=2)",
    ],
    ids=["endless", "descriptor", "process"],
)
def test_standard_error_is_bounded(run: Run, source: str, capfd: pytest.CaptureFixture[str]) -> None:
    results = run(cell("print(1)", expected="1"), cell(source, 'timeout="2min"'))
    assert failure(results)[1].startswith("the cell prints more than 4,000,000 characters")
    assert len(capfd.readouterr().err.replace("\\x00", "x")) == 4_000_000


def test_a_warning_on_standard_error_is_none(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    source = "import sys\nprint('é' * 40_000, 'careful', file=sys.stderr)"
    assert [result.status for result in run(cell(source), cell(source))] == ["passed"] * 2
    assert capfd.readouterr().err == ("é" * 40_000 + " careful\n") * 2


def test_a_cell_sees_an_ordinary_main_module(run: Run) -> None:
    source = "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 1\nprint(__name__, A())"
    assert run(cell(source, expected="__main__ A(x=1)"))[0].status == "passed"


def test_libpq_variables_of_our_own_shell_do_not_lead_elsewhere(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSERVICE", "production")
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    source = (
        "import os\nprint(sorted(n for n in os.environ if n.startswith('PG') and not n.startswith('PGR')))"
    )
    asked = cell(source, expected="['PGCLIENTENCODING', 'PGHOST']")
    assert run(asked, environment={"PGHOST": "x"})[0].status == "passed"
    assert os.environ["PGSERVICE"] == "production"
