"""A project with two migrations and its database, and ``pgrehearse db`` called on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from click.testing import CliRunner

from pgrehearse.command.db import db
from pgrehearse.errors import PgRehearseError
from pgrehearse.servers import Server

FIRST = """-- migrate:up
CREATE TABLE wish (id bigint PRIMARY KEY, title text NOT NULL);
GRANT SELECT ON wish TO teller;
-- migrate:down
DROP TABLE wish;
"""
SECOND = """-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY wish_title_idx ON wish (title);
-- migrate:down transaction:false
DROP INDEX wish_title_idx;
"""


@dataclass
class Bench:
    """A project with two migrations, and a marked database on a server that has the role they mention."""

    server: Server
    folder: Path
    name: str

    @property
    def dsn(self) -> str:
        return self.server.dsn(self.name)

    def run(self, *words: str, user: str | None = None, database: bool = True) -> tuple[int, str]:
        named = ("--dsn", self.server.dsn(self.name, user)) if database else ()
        done = CliRunner().invoke(db, [*words, *named], standalone_mode=False)
        if isinstance(done.exception, PgRehearseError):
            raise done.exception
        assert done.exception is None, done.exception
        return int(done.return_value or 0), done.stdout

    def sql(self, *statements: str, user: str | None = None) -> None:
        dsn = self.server.dsn(self.name, user)
        with psycopg.connect(dsn, autocommit=True, application_name="by hand") as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def write(self, name: str, text: str) -> None:
        (self.folder / "db" / name).write_text(text, encoding="utf-8")


def parts(bench: Bench, *words: str) -> dict[str, Any]:
    status, text = bench.run("check", "--json", *words)
    found: dict[str, Any] = json.loads(text)
    assert status == int(found["drift"])
    return found
