"""The command as a whole: help, exit statuses, errors without a traceback."""

from __future__ import annotations

import signal
import sys

import pytest

from pgrehearse.errors import DocumentError, ExpectationError, PgRehearseError, SetupError
from pgrehearse.main import cli
from support import ROOT
from support.bench import Bench
from support.processes import Ended, call


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ExpectationError("something else", path="a.md", line=3, next_step="look"), 1),
        (DocumentError("something else", path="a.md", line=3, next_step="look"), 65),
        (SetupError("something else", path="a.md", line=3, next_step="look"), 69),
        (PgRehearseError("something else", path="a.md", line=3, next_step="look"), 70),
    ],
)
def test_errors_have_their_status_and_no_traceback(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: PgRehearseError, status: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("pgrehearse.text.project.Project.find", fail)
    ended = bench.call("lint")
    assert ended.status == status
    assert ended.err == "error: a.md:3: something else\n  next: look\n"


def test_a_crash_is_not_taken_for_a_failed_document(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr("pgrehearse.text.project.Project.find", crash)
    ended = bench.call("lint")
    assert ended.status == 70
    assert "ZeroDivisionError: of ours" in ended.err
    assert "this is a bug in pgrehearse" in ended.err


def test_ctrl_c(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pgrehearse.text.project.Project.find", interrupt)
    ended = bench.call("lint")
    assert ended.status == 130
    assert "Traceback" not in ended.err


def test_usage_errors_name_what_was_meant(bench: Bench) -> None:
    ended = bench.call("rn")
    assert ended.status == 2
    assert "No such command 'rn'" in ended.err
    assert bench.call("run", "x", "--frm-top").status == 2


def test_every_command_has_help(bench: Bench) -> None:
    assert len(cli.commands) == 0, "commands are imported when they are used"
    names = cli.list_commands(None)  # type: ignore[arg-type]
    assert len(names) >= 6
    for name in names:
        ended = bench.call(name, "--help")
        assert ended.status == 0
        assert ended.out.startswith(f"Usage: pgrehearse {name} ")
        assert max(map(len, ended.out.splitlines())) <= 80


def test_a_database_that_was_not_kept(bench: Bench) -> None:
    ended = bench.call("psql", "nothing")
    assert ended.status == 69
    assert "'nothing' is no kept database" in ended.err
    assert bench.call("psql", "nothing/here").status == 69


def test_version(bench: Bench) -> None:
    ended = bench.call("--version")
    assert ended.status == 0
    assert ended.out.startswith("pgrehearse, version ")


#: What a command loads of other packages, and of ours, only to do what was not asked for.
_HEAVY = {"psycopg", "yaml", "wcwidth", "jinja2", "mkdocs", "jupytext", "IPython", "asyncio"}
_MEASURING = {
    f"pgrehearse.{name}" for name in ("execution.rehearser", "migration.policy.check", "servers.local")
}


@pytest.mark.parametrize(
    ("words", "needed", "left_out"),
    [
        ("--version", "click", _HEAVY),
        ("lint --help", "pgrehearse.text.lint", {"psycopg", "yaml"}),
        ("db up --help", "psycopg", {"yaml", "pgrehearse.text.document", *_MEASURING}),
        ("promote status --help", "psycopg", {"pgrehearse.migration.drift.live", *_MEASURING}),
    ],
)
def test_the_start_imports_no_more_than_it_needs(words: str, needed: str, left_out: set[str]) -> None:
    started = f"import sys; sys.argv[1:] = {words.split()}; from pgrehearse.main import main\n"
    ended = call((sys.executable, "-c", f"{started}try: main()\nfinally: print(*sys.modules)"), ROOT)
    assert ended.status == 0, ended.said
    loaded = set(ended.out.split())
    assert needed in loaded
    assert not loaded & left_out


def test_the_plugin_of_pytest_imports_no_more_than_it_needs() -> None:
    ended = call((sys.executable, "-c", "import sys, pgrehearse.pytest_plugin; print(*sys.modules)"), ROOT)
    loaded = set(ended.out.split())
    assert "pgrehearse.text.document" in loaded, ended.said
    assert not loaded & {"psycopg", "yaml", *_MEASURING}


def _ending(before: str) -> Ended:
    """How the process ``pgrehearse --version`` ends after what ``before`` prepared."""
    program = (
        f"import sys\nimport pgrehearse.main as it\nsys.argv[1:] = ['--version']\n{before}\nit.program()"
    )
    return call((sys.executable, "-c", program), ROOT)


def test_the_end_waits_for_threads_and_does_what_was_registered() -> None:
    ended = _ending(
        """
import atexit, threading
shown = threading.Event()
def late():
    shown.wait()
    print("thread")
def registered():
    print("registered", end="")  # no line's end: only a flush shows it
threading.Thread(target=late).start()
main = it.main
def also():
    atexit.register(registered)
    shown.set()
    main()
it.main = also
"""
    )
    assert ended.status == 0, ended.said
    assert "thread" in ended.out
    assert ended.out.endswith("registered")


def test_the_end_takes_nothing_apart() -> None:
    kept = "class Kept:\n    def __del__(self): print('taken apart')\nkept = Kept()"
    assert "taken apart" not in _ending(kept).out
    assert "taken apart" in _ending(f"{kept}\nit.program = it.main").out


@pytest.mark.parametrize("status", [0, 1, 70, 130])
def test_the_end_has_the_status_of_the_command(status: int) -> None:
    assert _ending(f"it.main = lambda: sys.exit({status})").status == status


def test_what_ends_the_process_otherwise_is_told_by_python() -> None:
    ended = _ending("def broken(): raise KeyboardInterrupt\nit.main = broken")
    assert ended.status == -signal.SIGINT
    assert "KeyboardInterrupt" in ended.err
