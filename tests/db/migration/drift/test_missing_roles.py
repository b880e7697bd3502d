"""A role that the live database lacks: what undoes that makes it, or says that it has to be made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from pgrehearse.migration.drift.copies import ScratchCopies
from pgrehearse.schema import client_programs

from .bench import Bench

#: Before and after the other names, as statements are put in order.
NAMES = ("aaa", "zzz")
THIRD = """-- migrate:up
GRANT SELECT ON wish TO {role};
CREATE TABLE theirs (a int);
ALTER TABLE theirs OWNER TO {role};
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {role};
-- migrate:down
DROP TABLE theirs;
"""


@pytest.fixture(params=NAMES)
def role(request: pytest.FixtureRequest, bench: Bench) -> Iterator[str]:
    name = str(request.param)
    bench.sql(f"CREATE ROLE {name}")
    bench.write("migrations/3_theirs.sql", THIRD.format(role=name))
    assert bench.run("up")[0] == 0
    bench.run("check", "--write-schema")
    yield name
    with suppress(psycopg.Error):
        bench.sql(f"DROP OWNED BY {name}")
        bench.sql(f"DROP ROLE {name}")


def gone(bench: Bench, role: str) -> None:
    bench.sql(f"REASSIGN OWNED BY {role} TO postgres", f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def shown(bench: Bench) -> str:
    assert bench.run("check", "--only", "live", "--undo", "undo.sql")[0] == 1
    return Path("undo.sql").read_text("utf-8")


def carried_out(bench: Bench) -> tuple[int, str, str]:
    return client_programs.run("psql", bench.dsn, "-X", "-1", "-v", "ON_ERROR_STOP=1", "-f", "undo.sql")


def test_a_role_that_is_declared_is_made_before_it_is_named(bench: Bench, role: str) -> None:
    """Also one that nothing depends on: a copy can lose that one, and it is not lent again."""
    bench.sql("CREATE ROLE idle")
    bench.write(
        "roles.sql", f"CREATE ROLE {role} LOGIN CREATEDB;\nCREATE ROLE idle;\nGRANT idle TO {role};\n"
    )
    bench.sql(f"ALTER ROLE {role} LOGIN CREATEDB", f"GRANT idle TO {role}")
    assert bench.run("check", "--only", "live")[0] == 0
    gone(bench, role)
    bench.sql("DROP ROLE idle")
    try:
        script = shown(bench)
        assert "not written" not in script
        assert script.index(f"CREATE ROLE {role};") < script.index(f" TO {role};")
        assert "CREATE ROLE idle;" in script
        done = carried_out(bench)
        assert done[0] == 0, done
        assert bench.run("check", "--only", "live")[0] == 0
    finally:
        bench.sql("DROP ROLE IF EXISTS idle")


def test_a_role_that_is_taken_for_granted_is_said_to_be_missing(
    bench: Bench, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone(bench, role)
    script = shown(bench)
    assert all(line.startswith("--") for line in script.splitlines()), script
    assert script.count(f'PostgreSQL refuses it: role "{role}" does not exist') == 3
    with monkeypatch.context() as patch:  # without the rule, what is shown for proven fails
        patch.setattr(ScratchCopies, "as_live", lambda copies: False)
        shown(bench)
    assert f'role "{role}" does not exist' in carried_out(bench)[2]
    bench.sql(f"CREATE ROLE {role}")
    assert "not written" not in shown(bench)
    assert carried_out(bench)[0] == 0
    assert bench.run("check", "--only", "live")[0] == 0
