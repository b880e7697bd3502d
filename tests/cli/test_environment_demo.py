"""``pgrehearse environment demo``: three databases for a shell, gone with it or when told."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from pgrehearse import owners
from pgrehearse.servers import Server
from support.bench import Bench
from support.databases import fresh, name_of, names
from support.processes import clean_environment
from support.waiting import LIMIT, wait_until

DEMO = f"{sys.executable} -m pgrehearse environment demo"
LOOK = 'echo "$PGREHEARSE_DEMO"; echo "$PRODUCTION_DSN"'


def shell(script: str) -> list[str]:
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="tells processes apart by /proc")
def test_the_server_ends_with_the_shell_that_asked_for_it() -> None:
    keeper, dsn = shell(f'eval "$({DEMO})"; {LOOK}; test -S "${{PRODUCTION_DSN#*host=}}/.s" || true')
    wait_until(lambda: owners.owner_is_gone(keeper), "the keeper has ended")
    directory = re.search(r"host=(\S+)", dsn)
    assert directory is not None
    wait_until(lambda: not Path(directory[1]).exists(), "the server is gone")


@pytest.mark.skipif(sys.platform != "linux", reason="tells processes apart by /proc")
@pytest.mark.parametrize(
    "asked",
    [
        "$(ASK)",
        "$(ASK 2>/dev/null)",
        "$(ASK | cat)",
        "$(cd / && ASK)",
        "$(trap true EXIT; ASK; true)",
        "$( (ASK 2>&1) )",
        "$(env -i PROGRAM)",
        "$(timeout 60 PROGRAM; true)",
        "$(PYTHON -c 'import subprocess, sys; subprocess.run(sys.argv[1:])' PROGRAM)",
    ],
)
@pytest.mark.parametrize("trap", ["", "trap true EXIT;"])
def test_the_shell_that_asked_is_the_one_that_goes_on(asked: str, trap: str) -> None:
    """It forks for a redirection, a pipe, a trap; what it forked or a wrapper started ends at once."""
    python = shlex.quote(sys.executable)
    code = "from pgrehearse.promotion.asking_shell import asking_shell; print(asking_shell())"
    program = f"{python} -c {shlex.quote(code)}"
    asked = asked.replace("ASK", "ask").replace("PROGRAM", program).replace("PYTHON", python)
    (own, found) = shell(f'{trap} ask() {{ {program}; }}; echo $$; echo "{asked}"')
    assert own == found


@pytest.mark.skipif(sys.platform != "linux", reason="tells processes apart by /proc")
def test_a_shell_that_was_started_as_a_program_asks_for_itself() -> None:
    """The other side: the same program once more, by the same name, is another shell."""
    code = "from pgrehearse.promotion.asking_shell import asking_shell; print(asking_shell())"
    ask = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    inner = f'echo $$; echo "$({ask} 2>/dev/null)"'
    outer, own, found = shell(f"echo $$; bash -eu -c {shlex.quote(inner)}; true")
    assert (own == found, own != outer) == (True, True)


@pytest.mark.skipif(sys.platform != "linux", reason="tells processes apart by /proc")
def test_it_is_stopped_by_name_and_another_one_replaces_it() -> None:
    first, second, gone = shell(
        f'eval "$({DEMO})"; echo "$PGREHEARSE_DEMO"; eval "$({DEMO})"; echo "$PGREHEARSE_DEMO";'
        f" {DEMO} --stop; echo gone"
    )
    assert (first != second, gone) == (True, "gone")
    assert owners.owner_is_gone(first)
    assert owners.owner_is_gone(second)


def test_on_a_server_that_is_there_it_is_made_and_removed(server: Server, bench: Bench) -> None:
    with fresh(server, "disposable") as dsn:
        made = bench.call("environment", "demo", "--on", dsn)
        try:
            assert made.status == 0, made.said
            found = dict(re.findall(r"export (\w+)_DSN='(.*)'", made.out))
            assert set(found) == {"DEVELOPMENT", "STAGING", "PRODUCTION"}
            for name, one in found.items():
                with psycopg.connect(one, user="deploy") as connection:
                    assert connection.execute("SELECT current_database()").fetchone() == (
                        f"demo_{name.lower()}",
                    )
                shown = bench.call("environment", "show", "--dsn", f"{one} user=vic")
                assert f"({name.lower()})" in shown.out
            assert bench.call("environment", "demo", "--on", dsn).status == 69
        finally:
            assert bench.call("environment", "demo", "--on", dsn, "--stop").status == 0
        assert not {name for name in names(server) if name.startswith("demo_")}


def test_it_is_refused_where_rehearsals_are(server: Server, bench: Bench) -> None:
    with fresh(server, "staging") as dsn:
        refused = bench.call("environment", "demo", "--on", dsn)
    assert (refused.status, refused.out) == (69, "")
    assert "rehearsals use only" in refused.err
    assert name_of(dsn) not in names(server)


def test_without_a_shell_that_read_it_nothing_is_stopped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGREHEARSE_DEMO", raising=False)
    assert "PGREHEARSE_DEMO is not set" in bench.call("environment", "demo", "--stop").err
    assert "PGREHEARSE_DEMO" not in os.environ
