"""What a look at many databases costs beside the same questions by psql in a loop, in the same run.

    python benchmarks/status.py [--sizes 100 1000] [--json FILE]

Every database holds the example's migrations. ``psql`` is a shell that starts psql for one database after the
other, with a file of the questions that a look asks. ``status`` is ``pgrehearse status --json`` from its
start to its end. ``dashboard`` looks again and again, and gives its own time for a look; memory is the most
that it ever had resident after three looks. CPU is that of the programs without their server; ``server_ms``
is the processor time of the server for one database in a look, the start and end of its session included.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from run import conditions  # noqa: E402

from pgrehearse import files  # noqa: E402
from pgrehearse.migration.runner import runner  # noqa: E402
from pgrehearse.servers import Server, start  # noqa: E402
from pgrehearse.servers.binaries import client  # noqa: E402
from pgrehearse.status.survey import survey  # noqa: E402
from pgrehearse.text import migration_files  # noqa: E402
from pgrehearse.text.project import Project  # noqa: E402
from support.databases import execute, mark  # noqa: E402
from support.processes import PGREHEARSE  # noqa: E402

_LOOP = """for database in "$@"; do
  "$PSQL" -qAtX1 -v ON_ERROR_STOP=1 -f "$FILE" "$database" >"$FILE.out" || exit
done"""
_LIMIT = 900.0  # seconds of a look
_ASK = 1.0  # seconds between two questions how far the dashboard is: each takes time of its look
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    found: dict[str, Any] = {}
    with start() as server, tempfile.TemporaryDirectory(dir="/tmp") as folder:
        root = Path(folder)
        (root / "pyproject.toml").touch()
        (root / "db").symlink_to(ROOT / "db")
        made: list[str] = []
        for size in sorted(arguments.sizes):
            fill(server, made, size)
            found[str(size)] = measured(server, root, made)
            print(size, json.dumps(found[str(size)]), flush=True)
    if arguments.json:
        files.write_json(arguments.json, {"conditions": conditions(), **found})


def fill(server: Server, made: list[str], size: int) -> None:
    """Make databases until ``made`` names ``size``."""
    while len(made) < size:
        name = f"shop_{len(made)}"
        execute(server.dsn(), f"CREATE DATABASE {name} TEMPLATE {made[0] if made else 'template0'}")
        mark(server.dsn(name), "staging")
        if not made:
            for _ in runner.up(server.dsn(name), migration_files.load(ROOT / "db" / "migrations")):
                pass
        made.append(name)


def measured(server: Server, root: Path, names: list[str]) -> dict[str, float]:
    """Of one number of databases: the first is the environment's own."""
    os.environ["SHOP_DSN"] = server.dsn(names[0])
    (root / "environments.toml").write_text(
        '[[environment]]\nname = "shop"\nmark = "staging"\ndsn_env = "SHOP_DSN"\n'
        f'without = ["backup"]\ngroups = {{ all = {json.dumps(names[1:])} }}\n',
        encoding="utf-8",
    )
    file = root / "facts.sql"
    file.write_text(statements(root), encoding="utf-8")
    environ = os.environ | {"PSQL": str(client("psql")), "FILE": str(file)}
    targets = [server.dsn(name) for name in names]
    loop = spent(server, lambda: subprocess.run(["sh", "-c", _LOOP, "sh", *targets], check=True, env=environ))
    status = spent(server, lambda: looked(root))
    seconds, megabytes = dashboard(root)
    return {
        "psql_seconds": round(loop[0], 2),
        "status_seconds": round(status[0], 2),
        "ratio": round(status[0] / loop[0], 2),
        "psql_cpu_seconds": round(loop[1], 2),
        "status_cpu_seconds": round(status[1], 2),
        "cpu_ratio": round(status[1] / loop[1], 2),
        "server_ms": round(1000 * status[2] / len(names), 1),
        "psql_server_ms": round(1000 * loop[2] / len(names), 1),
        "dashboard_look_seconds": seconds,
        "dashboard_mb": megabytes,
    }


def statements(root: Path) -> str:
    """What one look asks the environment's own database, as a psql script."""
    sent: list[str] = []
    real = psycopg.Cursor.execute

    def listening(cursor: Any, query: Any, params: Any = None, **named: Any) -> Any:
        real(cursor, query, params, **named)
        if any(result.nfields for result in cursor._results):  # settings and transactions ask nothing
            with psycopg.ClientCursor(cursor.connection) as form:
                sent.append(form.mogrify(query, params).strip().rstrip(";"))
        return cursor

    psycopg.Cursor.execute = listening  # type: ignore[method-assign, assignment]
    try:
        project = Project.at(root)
        one = survey(project, migration_files.load(project.migrations), deadline=_LIMIT)
        home = [place for place in one.places if place.home]
        list(type(one)(project, one.environments, one.migrations, home, one.memory, _LIMIT).look())
    finally:
        psycopg.Cursor.execute = real  # type: ignore[method-assign]
    assert len(sent) > 10, sent
    return ";\n".join(sent) + ";\n"


def looked(root: Path) -> None:
    done = subprocess.run(
        [*PGREHEARSE, "status", "--json", "--deadline", str(_LIMIT)],
        cwd=root,
        capture_output=True,
        check=False,
    )
    value = json.loads(done.stdout)
    unknown = [
        one["database"] for one in value["databases"] if "unknown" in (one["facts"]["server"].get("state"),)
    ]
    assert not unknown, unknown


def dashboard(root: Path) -> tuple[float, float]:
    """Seconds of its third look, and the most memory it had by then in MB."""
    words = ["dashboard", "--address", "127.0.0.1:0", "--every", "1", "--deadline", str(_LIMIT)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*PGREHEARSE, *words], cwd=root, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]

        def metric(name: str) -> float:
            with urllib.request.urlopen(f"{url}metrics") as answer:  # noqa: S310 - our own address
                (found,) = re.findall(rf"^{name} (\S+)$", answer.read().decode(), re.M)
            return float(found)

        seen: set[float] = {0.0}
        while len(seen) < 4:
            time.sleep(_ASK)
            seen.add(metric("pgrehearse_looked_timestamp_seconds"))
        took = metric("pgrehearse_look_seconds")
        text = Path(f"/proc/{process.pid}/status").read_text("utf-8")
        most = next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM"))
        process.terminate()
    return round(took, 2), round(most, 1)


def spent(server: Server, what: Callable[[], Any]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds of the programs, CPU seconds of the server."""

    def children() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    ours, theirs, began = children(), reaped(server), time.perf_counter()
    what()
    return time.perf_counter() - began, children() - ours, reaped(server) - theirs


def reaped(server: Server) -> float:
    """CPU seconds of all sessions of the server that have ended: its postmaster counts them."""
    with psycopg.connect(server.dsn()) as connection:
        folder = connection.execute("SELECT current_setting('data_directory')").fetchone()
    assert folder is not None
    pid = Path(folder[0], "postmaster.pid").read_text("utf-8").split()[0]
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / _TICKS


if __name__ == "__main__":
    main()
