"""Statements in a receipt are its owner's: Roll back does not carry them out with a superuser's powers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.sql import SQL, Identifier

from pgrehearse.main import cli
from pgrehearse.servers import Server, start
from support import ROOT
from support.majors import TEST_MAJOR

MADE = """
CREATE ROLE poor LOGIN; GRANT CREATE ON SCHEMA public TO poor;
CREATE TABLE t (id int PRIMARY KEY, a int, b int); ALTER TABLE t OWNER TO poor; CREATE INDEX t_a_idx ON t (a);
ALTER DATABASE postgres SET pgrehearse.environment = 'staging';
"""
MARK = "pgrehearse receipt "
EVIL = "ALTER ROLE poor SUPERUSER"
#: Runbook -> its parameters, and where a statement stands in its receipt.
CASES = {
    "index-drop": (["index=t_a_idx", "watched=0 s"], "build"),
    "column-drop": (["table=t", "column=b", "type=integer"], "undo"),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with start(TEST_MAJOR) as running:
        with psycopg.connect(running.dsn(), autocommit=True) as session:
            for statement in MADE.split(";"):
                session.execute(statement.encode())
        yield running


def ran(tmp_path: Path, runbook: str, dsn: str, *words: str) -> Result:
    given = [word for value in CASES[runbook][0] for word in ("--set", value)]
    path = str(ROOT / "runbooks" / f"{runbook}.md")
    log = str(tmp_path / "log.jsonl")
    return CliRunner().invoke(cli, ["run", path, "--yes", "--dsn", dsn, "--log", log, *given, *words])


@pytest.mark.parametrize("runbook", CASES)
def test_a_superuser_does_not_carry_them_out(server: Server, tmp_path: Path, runbook: str) -> None:
    done = ran(tmp_path, runbook, server.dsn("postgres", "poor"))
    assert done.exit_code == 0, done.output
    with psycopg.connect(server.dsn("postgres", "poor"), autocommit=True) as poor:
        ((number, text),) = poor.execute(
            "SELECT objoid, description FROM pg_description WHERE classoid = 'pg_largeobject'::regclass"
        ).fetchall()
        receipt = json.loads(text.removeprefix(MARK))
        receipt[CASES[runbook][1]] = EVIL if CASES[runbook][1] == "build" else [EVIL]
        poor.execute(SQL("COMMENT ON LARGE OBJECT {} IS {}").format(number, MARK + json.dumps(receipt)))
    for dsn in (server.dsn(), server.dsn() + " options='-c role=poor'"):
        back = ran(tmp_path, runbook, dsn, "--phase", "roll-back")
        assert back.exit_code != 0
        assert "connect as the owner, not as a superuser" in back.output, back.output
    with psycopg.connect(server.dsn()) as session:
        assert session.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'poor'").fetchone() == (False,)


def test_the_owner_rolls_back_and_a_superuser_who_owns_the_table(server: Server, tmp_path: Path) -> None:
    for dsn in (server.dsn("postgres", "poor"), server.dsn()):
        with psycopg.connect(server.dsn(), autocommit=True) as session:
            owner = psycopg.conninfo.conninfo_to_dict(dsn).get("user") or session.info.user
            session.execute(SQL("ALTER TABLE t OWNER TO {}").format(Identifier(str(owner))))
        assert ran(tmp_path, "index-drop", dsn).exit_code == 0
        back = ran(tmp_path, "index-drop", dsn, "--phase", "roll-back")
        assert back.exit_code == 0, back.output
