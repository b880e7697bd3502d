"""The caller's mistakes: an exit status of its own kind and a next step, never a traceback."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.processes import PGREHEARSE, PYTEST, Ended, call, clean_environment
from support.projects import fence, write

STATUSES = {1, 2, *range(64, 70), *range(73, 79), 130, 141}
HEAD = "---\ntitle: Page\njupyter:\n  jupytext:\n    main_language: python\n---\n\n# Page\n"
RUNBOOK = "".join(
    f"\n## {phase}\n{fence('SELECT 1 AS one;')}" for phase in ("Preflight", "Apply", "Verify", "Roll back")
)
FILES = {
    "pyproject.toml": "",
    "docs/guide.md": HEAD + fence("SELECT 1 AS one;"),
    "runbooks/sample.md": HEAD + RUNBOOK,
    "db/migrations/1_a.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 1;\n",
    "db/seed.sql": "SELECT 1;\n",
    "s.sql": "SELECT 1;\n",
}
BYTES = os.fsdecode(b"\xff")  # no UTF-8

DOCUMENTS = ("lint", "sync", "test docs", "build")
MIGRATIONS = ("db new x", "db up", "db status", "db lint")
DATABASES = ("run sample --yes", "db status", "environment set staging")
ALL = ("lint", "test docs", "run sample --dry-run", "db new x", "build")


@dataclass
class Case:
    """How a command is called: files below ``root``, environment, what the shell does before and around."""

    root: Path
    env: dict[str, str]
    more: list[str] = field(default_factory=list)
    redirection: str = ""
    before: str = ""

    def remove(self, name: str) -> Path:
        path = self.root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        return path


def link(name: str, to: str) -> Callable[[Case], object]:
    return lambda case: case.remove(name).symlink_to(to)


def folder(name: str) -> Callable[[Case], object]:
    return lambda case: case.remove(name).mkdir()


def pipe(name: str) -> Callable[[Case], object]:
    return lambda case: os.mkfifo(case.remove(name))


def text(name: str, content: str) -> Callable[[Case], object]:
    return lambda case: case.remove(name).write_bytes(os.fsencode(content))


def setting(**values: str) -> Callable[[Case], object]:
    return lambda case: case.env.update(values)


def redirected(to: str) -> Callable[[Case], object]:
    return lambda case: setattr(case, "redirection", to)


def after(command: str) -> Callable[[Case], object]:
    return lambda case: setattr(case, "before", command + ";")


def argument(word: str) -> Callable[[Case], object]:
    return lambda case: case.more.append(word)


#: (commands, mistake, what the message says)
TABLE: dict[str, tuple[tuple[str, ...], Callable[[Case], object], str]] = {
    "folder x.md": (DOCUMENTS[:3], folder("docs/x.md"), "is a folder"),
    "folder x.sql": (MIGRATIONS, folder("db/migrations/2_x.sql"), "is a folder"),
    "dangling link": (DOCUMENTS[:3], link("docs/x.md", "nowhere"), "no such file"),
    "dangling migration": (MIGRATIONS, link("db/migrations/2_x.sql", "nowhere"), "no such file"),
    "loop of links": (DOCUMENTS[:3], link("docs/x.md", "x.md"), "symbolic links"),
    "migration of links": (MIGRATIONS, link("db/migrations/2_x.sql", "2_x.sql"), "symbolic links"),
    "pipe as document": (DOCUMENTS[:3], pipe("docs/x.md"), "a pipe or a device"),
    "pipe as migration": (MIGRATIONS, pipe("db/migrations/2_x.sql"), "a pipe or a device"),
    "endless device": (DOCUMENTS[:3], link("docs/x.md", "/dev/zero"), "a pipe or a device"),
    "no UTF-8": (DOCUMENTS[:3], text("docs/x.md", BYTES), "not UTF-8"),
    "no UTF-8 in SQL": (MIGRATIONS, text("db/migrations/2_x.sql", BYTES), "not UTF-8"),
    "argument of bytes": (("lint", "db new", "run", "psql"), argument(BYTES), "is not text"),
    "argument with lines": (("lint", "run", "export"), argument("a\nb\x1b[2J"), "next: "),
    "unknown option": (ALL, argument("--wrong"), "No such option"),
    "pyproject broken": (ALL[:4], text("pyproject.toml", "[tool"), "not TOML"),
    "pyproject of numbers": (ALL[:4], text("pyproject.toml", "[tool.pgrehearse]\nseed = 1"), "is not text"),
    "folder gone": (ALL, after("mkdir gone; cd gone; rmdir ../gone"), "the current folder cannot be used"),
    "no room for output": (("lint", "run sample --dry-run"), redirected(">/dev/full"), "No space left"),
    "few descriptors": (("test docs",), after("ulimit -n 12"), "next: "),
    "no temporary folder": (("export sample --to sql -o gone/x",), setting(TMPDIR="/nonexistent"), "next: "),
    "cache is a file": (("test docs", "psql"), setting(PGREHEARSE_CACHE="s.sql"), "cache directory"),
    "home in vain": (("test docs",), setting(PGREHEARSE_CACHE="~nobody-such/x"), "home directory"),
    "no such service": (DATABASES, setting(PGSERVICE="nope"), "nope"),
    "port of letters": (DATABASES, setting(PGPORT="x"), "next: "),
    "no server": (DATABASES, setting(PGHOST="/nonexistent", PGDATABASE="x"), "next: "),
    "garbled URL": (("test docs",), setting(PGREHEARSE_SERVER="postgres://@@:x/%zz"), "next: "),
    "records are a file": (("test docs",), text(".pgrehearse", ""), "folder cannot be made"),
}


def ended(case: Case, command: str) -> Ended:
    words = shlex.join([*PGREHEARSE, *shlex.split(command), *case.more])
    line = f"set -o pipefail; {case.before} {words} {case.redirection}"
    return call(("bash", "-c", line), case.root, case.env)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    root = tmp_path / "project"
    for name, content in FILES.items():
        write(root, name, content)
    return Case(root, clean_environment(PGHOST="/nonexistent", PGDATABASE="x"))


ROWS = [(name, command) for name, (commands, _, _) in TABLE.items() for command in commands]


@pytest.mark.parametrize(("name", "command"), ROWS)
def test_a_mistake_is_told_with_a_next_step(case: Case, name: str, command: str) -> None:
    _, mistake, said = TABLE[name]
    mistake(case)
    found = ended(case, command)
    assert "Traceback" not in found.said
    assert found.status in STATUSES, found.said
    assert said in found.said
    assert "next: " in found.said
    assert "\x1b" not in found.said


_UNDISTURBED: dict[str, int] = {}  # exit status of each command


@pytest.mark.parametrize("command", ["lint", "run sample --dry-run", "--help", "lint nothing"])
@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
def test_closed_streams_change_no_status(case: Case, command: str, redirection: str) -> None:
    if command not in _UNDISTURBED:
        _UNDISTURBED[command] = ended(case, command).status
    wanted = _UNDISTURBED[command]
    case.redirection = redirection
    assert ended(case, command).status == wanted
    assert wanted in (0, 65)


@pytest.mark.parametrize("command", ["lint", "run sample --dry-run", "test --help"])
def test_a_reader_that_ends_is_no_error(case: Case, command: str) -> None:
    case.redirection = "| true"
    found = ended(case, command)
    assert (found.status in (0, 141), found.err) == (True, "")


@pytest.mark.parametrize("command", ["lint", "run sample --dry-run", "test --help"])
def test_a_poor_locale_spells_what_it_lacks(case: Case, command: str) -> None:
    poor = {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    case.env.update(poor, COLUMNS="1")
    write(case.root, "runbooks/sample.md", (HEAD + RUNBOOK).replace("one;", "“öne”;"))
    found = ended(case, command)
    assert found.status in (0, 1, 65), found.said
    assert "Traceback" not in found.said


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is tried on Linux")
@pytest.mark.parametrize("command", ["db new x", "export sample --to sql"])
def test_no_room_leaves_what_was_there(case: Case, command: str) -> None:
    before = {path: path.read_bytes() for path in case.root.rglob("*") if path.is_file()}
    case.before = "ulimit -f 0;"
    found = ended(case, command)
    assert found.status in STATUSES, found.said
    assert "next: " in found.said
    after = {path: path.read_bytes() for path in case.root.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    "name", ["folder x.md", "folder x.sql", "loop of links", "pipe as document", "no UTF-8"]
)
def test_pytest_tells_them_and_has_no_internal_error(case: Case, name: str) -> None:
    TABLE[name][1](case)
    found = call((*PYTEST, "docs", "docs/x.md", "db"), case.root, case.env)
    assert "INTERNALERROR" not in found.said
    assert found.status in (0, 1, 2, 4), found.said


def test_a_file_below_the_current_folder_is_named_from_there(case: Case) -> None:
    """As findings name it; elsewhere it is named whole."""
    text("db/migrations/2_x.sql", BYTES)(case)
    below, elsewhere = ended(case, "db lint --no-measure"), after("cd db/migrations")
    elsewhere(case)
    above = ended(case, "db lint --no-measure")
    assert below.err.startswith("error: db/migrations/2_x.sql:1: not UTF-8")
    assert above.err.startswith("error: 2_x.sql:1: not UTF-8")
    case.before = "mkdir docs/below; cd docs/below;"
    assert ended(case, "db lint --no-measure").err.startswith(f"error: {case.root}/db/migrations/2_x.sql:1: ")
