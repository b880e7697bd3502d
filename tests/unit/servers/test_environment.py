"""What processes we start get of our environment: nothing that leads to another server."""

from __future__ import annotations

import pytest

from pgrehearse.servers.process_environment import (
    git_environment,
    libpq_environment,
    server_environment,
)

#: Of programs that a restore or a cell calls.
OF_OTHERS = ("PGBACKREST_REPO1_CIPHER_PASS", "PGCOPYDB_TARGET_PGURI", "PGROLL_SCHEMA", "AWS_SECRET_KEY")
#: Of git: how it works.
GIT = ("GIT_CONFIG_COUNT", "GIT_SSH_COMMAND")
#: And which repository it means.
OF_A_REPOSITORY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
POSTGRESQL = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGCONNECT_TIMEOUT", "PGDATA", "PG_COLOR", "PGSSLMODE")


@pytest.fixture(autouse=True)
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OF_OTHERS, *POSTGRESQL, *GIT, *OF_A_REPOSITORY, "PGREHEARSE_SERVER", "LC_MESSAGES"):
        monkeypatch.setenv(name, "of the shell")


@pytest.mark.parametrize("name", OF_OTHERS + GIT)
def test_variables_of_other_programs_pass(name: str) -> None:
    assert libpq_environment({})[name] == "of the shell"
    assert server_environment()[name] == "of the shell"


@pytest.mark.parametrize("name", OF_A_REPOSITORY)
def test_what_leads_git_to_another_repository_does_not_pass(name: str) -> None:
    for environment in (git_environment(), libpq_environment({}), server_environment()):
        assert name not in environment
    assert git_environment()["PGHOST"] == "of the shell"


@pytest.mark.parametrize("name", POSTGRESQL)
def test_what_leads_to_another_server_does_not(name: str) -> None:
    assert name not in libpq_environment({})
    assert name not in server_environment()


def test_what_is_given_wins_and_is_read_as_utf_8() -> None:
    found = libpq_environment({"PGHOST": "/run", "PGCLIENTENCODING": "LATIN1"})
    assert (found["PGHOST"], found["PGCLIENTENCODING"]) == ("/run", "UTF8")


def test_our_own_reach_commands_and_not_servers() -> None:
    assert libpq_environment({})["PGREHEARSE_SERVER"] == "of the shell"
    assert "PGREHEARSE_SERVER" not in server_environment()
    assert server_environment()["LC_ALL"] == "C"
    assert "LC_MESSAGES" not in server_environment()


def test_what_our_git_is_told_reaches_no_git_of_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that runs git printed a hint about a file of grafts that nobody had given."""
    for name in ("GIT_NO_REPLACE_OBJECTS", "GIT_GRAFT_FILE"):
        monkeypatch.delenv(name, raising=False)
        assert name in git_environment()
        assert name not in libpq_environment({})
        assert name not in server_environment()
