"""How long a drift check takes, as a ratio to ``pg_dump --schema-only`` of the same database in the same run.

    python benchmarks/drift.py [--tables N] [--rounds N] [--json FILE]

Each table has eight columns, a primary key, two checks, a foreign key, two indexes, a trigger, a policy, a
grant and comments. Times are wall time in seconds at the client, medians of the rounds. ``anew`` is a check
of migrations that nobody compared before: most of it is PostgreSQL carrying them out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psycopg

from pgrehearse import files
from pgrehearse.clock import today
from pgrehearse.environments import marks
from pgrehearse.migration.runner.runner import up
from pgrehearse.schema import differences, read
from pgrehearse.servers import Server, libpq_environment, start
from pgrehearse.servers.binaries import client
from pgrehearse.text import migration_files

TABLE = """
CREATE TABLE t{n} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent bigint REFERENCES t{parent} ON DELETE CASCADE,
    name text NOT NULL DEFAULT 'none' CONSTRAINT t{n}_name_check CHECK (length(name) < 200),
    price numeric(12, 2) CONSTRAINT t{n}_price_check CHECK (price >= 0),
    kind kind NOT NULL DEFAULT 'a',
    tags text[] NOT NULL DEFAULT '{{}}',
    made timestamptz NOT NULL DEFAULT now(),
    note text
);
CREATE INDEX t{n}_made_idx ON t{n} (made) WHERE kind = 'a';
CREATE INDEX t{n}_parent_idx ON t{n} (parent);
COMMENT ON TABLE t{n} IS 'table {n}';
COMMENT ON COLUMN t{n}.note IS 'a note; of table {n}';
CREATE TRIGGER touch BEFORE UPDATE ON t{n} FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE t{n} ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON t{n} USING (parent = 1);
GRANT SELECT ON t{n} TO pg_monitor;
"""
HEAD = """-- migrate:up
CREATE TYPE kind AS ENUM ('a', 'b');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is done")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    before = os.getloadavg()[0]
    with start() as server, tempfile.TemporaryDirectory() as folder:
        numbers = measured(server, Path(folder), arguments.tables, arguments.rounds)
        version = server.version
    for name, value in numbers.items():
        print(f"  {name:<58} {value:>9.3f}")
    if arguments.json:
        conditions = {
            "date": today(),
            "PostgreSQL": version,
            "Python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "rounds": arguments.rounds,
            "load": f"{before:.1f} before, {os.getloadavg()[0]:.1f} after",
        }
        rounded = {name: round(value, 3) for name, value in numbers.items()}
        text = json.dumps({"conditions": conditions, **rounded}, indent=1) + "\n"
        files.write(arguments.json, text)


def measured(server: Server, folder: Path, tables: int, rounds: int) -> dict[str, float]:
    """All times; the database is made by the project's own runner, so that the check has a ledger."""
    project(folder, tables)
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE many")
        admin.execute(marks.set_statement("many", "test").encode())
    for _ in up(server.dsn("many"), migration_files.load(folder / "db" / "migrations")):
        pass
    environment = libpq_environment(server.env("many"))
    schema = read(server.dsn("many"))
    write = [sys.executable, "-m", "pgrehearse", "db", "check", "--write-schema"]
    subprocess.run(write, env=environment, cwd=folder, stdout=subprocess.DEVNULL, check=True)

    def dumped() -> None:
        subprocess.run([client("pg_dump"), "-s"], env=environment, stdout=subprocess.DEVNULL, check=True)

    def check(*options: str) -> None:
        command = [sys.executable, "-m", "pgrehearse", "db", "check", *options]
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"the check found drift or failed: {done.stdout}{done.stderr}")

    def anew(*options: str) -> None:
        """As nobody compared it before: other roles are declared, so nothing is known of it."""
        (folder / "db" / "roles.sql").write_text(f"-- {time.monotonic_ns()}\n", encoding="utf-8")
        check(*options)

    work: dict[str, Callable[[], object]] = {
        "pg_dump -s, seconds": dumped,
        "read one schema, seconds": lambda: read(server.dsn("many")),
        "compare two schemas, seconds": lambda: differences(schema, schema),
        "check --only live, anew, seconds": lambda: anew("--only", "live"),
        "check --only live, again, seconds": lambda: check("--only", "live"),
        "check of all three, anew, seconds": anew,
        "check of all three, again, seconds": check,
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):  # in turns, so that a busy moment of the machine hits all of them
        for name, part in work.items():
            began = time.monotonic()
            part()
            times[name].append(time.monotonic() - began)
    found = {name: median(values) for name, values in times.items()}
    base = found["pg_dump -s, seconds"]
    return {
        "tables": tables,
        "items compared": len(schema.items),
        **found,
        "ratio read / pg_dump -s": found["read one schema, seconds"] / base,
        "ratio live anew / pg_dump -s": found["check --only live, anew, seconds"] / base,
        "ratio live again / pg_dump -s (goal: at most 2.5)": found["check --only live, again, seconds"]
        / base,
        "ratio all three anew / pg_dump -s": found["check of all three, anew, seconds"] / base,
        "ratio all three again / pg_dump -s (goal: at most 4)": found["check of all three, again, seconds"]
        / base,
    }


def project(folder: Path, tables: int) -> None:
    """A project with one migration for every hundred tables."""
    (folder / "pyproject.toml").write_text("[tool.pgrehearse]\n", encoding="utf-8")
    target = folder / "db" / "migrations"
    target.mkdir(parents=True)
    for first in range(1, tables + 1, 100):
        numbers = range(first, min(first + 100, tables + 1))
        body = "".join(TABLE.format(n=n, parent=max(1, n - 1)) for n in numbers)
        head = HEAD if first == 1 else "-- migrate:up\n"
        file = target / f"{first:06}_tables.sql"
        file.write_text(f"{head}{body}\n-- migrate:down\n", encoding="utf-8")


if __name__ == "__main__":
    main()
