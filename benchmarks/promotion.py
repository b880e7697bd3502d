"""What a promotion costs beside the work itself: a migration that takes no time, gates and account included.

    python benchmarks/promotion.py [--rounds N] [--json FILE]

Three databases on one server. In each round a no-op migration goes from staging to production by ``promote
apply``, as a process of its own, with every gate but the drift checks and the backup. The plan was shown
before, as people do, so what was measured on a disposable server is known. Beside it stand ``db up``, of the
same migration, and ``psql``, of its statement. Wall and CPU seconds of the command, medians of the rounds;
CPU seconds are disturbed less by other load. Nothing here is asserted: machines differ.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from pgrehearse.environments.marks import set_statement
from pgrehearse.servers import start
from pgrehearse.servers.binaries import client

_PGREHEARSE = (sys.executable, "-m", "pgrehearse")
_FILE = """
[[environment]]
name = "development"
dsn_env = "DEVELOPMENT_DSN"
[[environment]]
name = "staging"
dsn_env = "STAGING_DSN"
requesters = ["rita"]
runners = ["deploy"]
without = ["drift", "drift-before", "backup"]
[[environment]]
name = "production"
dsn_env = "PRODUCTION_DSN"
approvals = 1
approvers = ["dora"]
requesters = ["rita"]
runners = ["deploy"]
without = ["drift", "drift-before", "backup"]
"""
_MIGRATION = "-- migrate:up\nSET LOCAL lock_timeout = '2s';\nSELECT 1;\n-- migrate:down\nSELECT 1;\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    with start() as server, tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), server, arguments.rounds)
    for name, runs in found.items():
        wall, cpu = (statistics.median(one[kind] for one in runs) for kind in (0, 1))
        print(f"{name:<10}{wall:>7.2f} s wall{cpu:>7.2f} s cpu   {' '.join(f'{one[0]:.2f}' for one in runs)}")
    if arguments.json:
        about = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        }
        rows = {name: [[round(kind, 3) for kind in one] for one in runs] for name, runs in found.items()}
        about["seconds"] = "[wall, cpu] of each round"
        about["load"] = "{:.1f}, {:.1f} and {:.1f}, over 1, 5 and 15 minutes before the end".format(
            *os.getloadavg()
        )
        arguments.json.write_text(json.dumps({**about, "rows": rows}, indent=2) + "\n", "utf-8")


def measured(folder: Path, server, rounds: int) -> dict[str, list[tuple[float, float]]]:  # type: ignore[no-untyped-def]
    """Seconds of each round."""
    names = ("development", "staging", "production")
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        for person in ("rita", "dora", "deploy"):
            connection.execute(f"CREATE ROLE {person} LOGIN".encode())
        for name in names:
            connection.execute(f"CREATE DATABASE {name} OWNER deploy".encode())
            connection.execute(set_statement(name, name).encode())
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    for name in names:
        host = {"host": psycopg.conninfo.conninfo_to_dict(server.dsn())["host"], "port": 5432}
        environment[f"{name.upper()}_DSN"] = make_conninfo("", dbname=name, **host)
    (folder / "pyproject.toml").write_text("[tool.pgrehearse.policy-off]\n", "utf-8")
    (folder / "environments.toml").write_text(_FILE, "utf-8")
    (folder / "db" / "migrations").mkdir(parents=True)
    (folder / "db" / "smoke.sql").write_text("", "utf-8")

    def call(person: str, *words: str) -> str:
        done = subprocess.run(
            [*_PGREHEARSE, *words],
            cwd=folder,
            env={**environment, "PGUSER": person},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    for name in names[1:]:
        call("postgres", "promote", "install", name)
    found: dict[str, list[tuple[float, float]]] = {"promote": [], "db up": [], "psql": []}
    for number in range(1, rounds + 1):
        (folder / "db" / "migrations" / f"{number}_nothing.sql").write_text(_MIGRATION, "utf-8")
        found["db up"].append(
            timed(lambda: call("deploy", "db", "up", "--dsn", environment["DEVELOPMENT_DSN"]))
        )
        call("rita", "promote", "request", "staging")
        call("deploy", "promote", "apply", "staging")
        asked = call("rita", "promote", "request", "production")
        plan = next(line.split()[1] for line in asked.splitlines() if line.startswith("plan "))
        call("dora", "promote", "approve", "production", "--plan", plan)
        found["promote"].append(timed(lambda: call("deploy", "promote", "apply", "production")))
        psql = [str(client("psql")), "-qX", "-U", "deploy", "-c", "SELECT 1", environment["PRODUCTION_DSN"]]
        found["psql"].append(
            timed(lambda: subprocess.run(psql, check=True, capture_output=True, env=environment))  # noqa: B023
        )
    return found


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall seconds of ``work``, and CPU seconds of the processes that it started."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
