"""A server of a major that is not released, where one is here: what a team does with it on the first day."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgrehearse.majors import PREVIEW
from pgrehearse.servers import Servers
from pgrehearse.servers.binaries import named
from support import databases
from support.processes import PGREHEARSE, Ended, call, clean_environment
from support.projects import project_at

MAKE = "-- migrate:up\nCREATE TABLE plan (id int PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE plan;\n"
ADD = """-- migrate:up
SET LOCAL lock_timeout = '2s';
ALTER TABLE plan ADD note text;

-- migrate:down
ALTER TABLE plan DROP note;
"""
FILE = "db/migrations/20260102000000_add.sql"
#: In this order; {} is the major.
COMMANDS = (
    "test page.md --pg {}",
    "db up --dsn DSN",
    "db check --write-schema --dsn DSN",
    "db check --dsn DSN",
    "db lint " + FILE + " --pg {}",
    "db test --pg {}",
    "xray " + FILE + " --pg {}",
    "xray next.sql --dsn DSN",
    "status --drift test",
)


@pytest.mark.parametrize("major", [major for major in named("all")[0] if major in PREVIEW])
def test_every_command_works_there(servers: Servers, major: int, tmp_path: Path) -> None:
    server = servers.get(major)
    page = "# Page\n\n```sql\nSELECT current_setting('server_version_num')::int / 10000 AS major;\n```\n"
    files = {
        "db/migrations/20260101000000_make.sql": MAKE,
        FILE: ADD,
        "db/schema.sql": "",
        "next.sql": "ALTER TABLE plan ADD day date;\n",
        "page.md": f"{page}\n```text\n major\n-------\n    {major}\n(1 row)\n```\n",
        "environments.toml": '[[environment]]\nname = "test"\nmark = "disposable"\ndsn_env = "HERE"\n',
    }
    root = project_at(tmp_path / "project", files).root
    with databases.fresh(server) as dsn:
        databases.mark(dsn, "disposable")

        def run(words: str) -> Ended:
            given = [{"DSN": dsn}.get(word, word) for word in words.format(major).split()]
            return call((*PGREHEARSE, *given), root, clean_environment(HERE=dsn))

        for words in COMMANDS:
            ended = run(words)
            said = f"{ended.out} {ended.err}"
            assert ended.status == 0, f"{words}: {said}"
            assert "newer than this release" not in said, words
        assert PREVIEW[major] in said, "the last one names the version"
