"""A server that is newer than this release: each command says so in a sentence, and none misleads."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pgrehearse.majors import SUPPORTED
from pgrehearse.servers import Server
from support.databases import Database
from support.processes import PGREHEARSE, Ended, call, clean_environment
from support.projects import project_at

#: The program as it was before a major came: what it knows ends with the one before.
_BEFORE = """
import sys
from pgrehearse import majors
here = int(sys.argv.pop(1))
majors.SUPPORTED = tuple(major for major in majors.SUPPORTED if major < here)
majors.PREVIEW = {}
from pgrehearse.main import main
main()
"""
MAKE = "-- migrate:up\nCREATE TABLE plan (id int PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE plan;\n"
ADD = "-- migrate:up\nALTER TABLE plan ADD note text;\n\n-- migrate:down\nALTER TABLE plan DROP note;\n"

#: What commands do beside such a server, and their status: these need none of their own ...
USED = {
    "environment show --dsn DSN": 0,
    "db up --dsn DSN": 0,
    "db status --dsn DSN": 0,
    "status test": 69,  # never compared with its migrations
    "test page.md --server DSN": 0,
}
#: ... and these compare with one.
COMPARED = ("db check --dsn DSN", "xray db/migrations/20260102000000_add.sql --dsn DSN")


@pytest.fixture
def project(tmp_path: Path, plain: Database) -> Path:
    plain.mark("disposable")
    files = {
        "db/migrations/20260101000000_make.sql": MAKE,
        "db/migrations/20260102000000_add.sql": ADD,
        "db/schema.sql": "",
        "page.md": "# Page\n\n```sql\nSELECT 1;\n```\n",
        "environments.toml": '[[environment]]\nname = "test"\nmark = "disposable"\ndsn_env = "HERE"\n',
    }
    return project_at(tmp_path / "project", files).root


def run(command: tuple[str, ...], words: str, project: Path, plain: Database) -> Ended:
    dsn = {"DSN": plain.dsn}
    return call(
        (*command, *(dsn.get(word, word) for word in words.split())),
        project,
        clean_environment(HERE=plain.dsn),
    )


@pytest.fixture
def before(server: Server, project: Path, plain: Database) -> Callable[[str], Ended]:
    """The program that knows all majors before that of its database."""
    if server.major == min(SUPPORTED):
        pytest.skip(f"nothing is known before PostgreSQL {server.major}")
    command = (sys.executable, "-c", _BEFORE, str(server.major))
    return lambda words: run(command, words, project, plain)


@pytest.mark.parametrize("words", [*USED, *COMPARED])
def test_it_is_said(before: Callable[[str], Ended], server: Server, words: str) -> None:
    ended = before(words)
    said = " ".join(f"{ended.out} {ended.err}".split())
    assert f"newer than this release was tried with (15 to {server.major - 1})" in said
    assert ended.status == USED.get(words, 69)
    if words in COMPARED:
        assert "next: take a newer pgrehearse" in said


@pytest.mark.parametrize("words", USED)
def test_of_a_known_one_it_is_not(project: Path, plain: Database, words: str) -> None:
    """Negative control: the same project, with the program as it is."""
    ended = run(PGREHEARSE, words, project, plain)
    assert "newer than" not in ended.out + ended.err
    assert ended.status == USED[words]
