"""What a step of many generated statements costs beside psql that sends the same, in turns, on one server.

    python benchmarks/generated.py [--json FILE] [--statements 1000] [--rounds 3]

The step is one query for ``\\gexec``: a comment for each column of a table. psql has the same query in
a file. ``run`` keeps, for each statement, a record in the database in the transaction of the statement and an
event in its log. Its seconds are those of the step, as the log has it; those of psql are by the clock of the
server.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from statistics import median

import psycopg
from run import conditions
from walk import carried_out

from pgrehearse.environments import marks
from pgrehearse.servers import Server, start
from pgrehearse.servers.binaries import client

QUERY = (
    "SELECT format('COMMENT ON COLUMN item.c%s IS %L', n, 'the column ' || n)"
    " FROM generate_series(1, {count}) AS n \\gexec"
)
RUNBOOK = """---
title: Comment on many columns
description: A step of many generated statements.
jupyter:
  jupytext:
    main_language: sql
---

# Comment on many columns

## Preflight

```sql
SELECT 'ok' AS ready;
```

```text
 ready
-------
 ok
(1 row)
```

## Apply

```sql
{query}
```

## Verify

```sql
SELECT 'ok' AS done;
```

```text
 done
------
 ok
(1 row)
```

## Roll back

```sql
SELECT format('COMMENT ON COLUMN item.c%s IS NULL', n) FROM generate_series(1, {count}) AS n \\gexec
```
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    parser.add_argument("--statements", type=int, default=1000, help="that are generated, at most 1,500")
    parser.add_argument("--rounds", type=int, default=3, help="how often each sends them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, start() as server:
        found = compare(server, Path(folder), arguments.statements, arguments.rounds)
    for name, value in found.items():
        print(f"  {name:<60} {value:>12.3f}", flush=True)
    if arguments.json:
        rounded = {name: round(value, 3) for name, value in found.items()}
        text = json.dumps({"conditions": conditions(), "generated": rounded}, indent=1) + "\n"
        arguments.json.write_text(text, encoding="utf-8")


def compare(server: Server, folder: Path, count: int, rounds: int) -> dict[str, float]:
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    query = QUERY.format(count=count)
    (folder / "many.md").write_text(RUNBOOK.format(query=query, count=count), encoding="utf-8")
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE walk")
        connection.execute(marks.set_statement("walk", "test").encode())
    with psycopg.connect(server.dsn("walk")) as connection:
        columns = ", ".join(f"c{number} int" for number in range(1, count + 1))
        connection.execute(f"CREATE TABLE item ({columns})".encode())
    run(server, folder)
    ours, theirs = [], []
    for number in range(rounds):  # nobody is always the first
        for turn in range(2):
            if (number + turn) % 2:
                ours.append(run(server, folder))
            else:
                theirs.append(psql(server, folder, query))
    return {
        "statements": count,
        "seconds, psql": median(theirs),
        "seconds, run": median(ours),
        "run / psql": median(ours) / median(theirs),
    }


def run(server: Server, folder: Path) -> float:
    log = folder / "run.jsonl"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pgrehearse", "run", "many.md", "--yes", "--from-top", "--log", str(log)]
    carried_out(server, command, folder)
    events = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return float(next(one["seconds"] for one in events if one["event"] == "step" and one["phase"] == "Apply"))


def psql(server: Server, folder: Path, query: str) -> float:
    file = folder / "many.sql"
    began = "SELECT clock_timestamp() AS began \\gset\n"
    ended = "SELECT 'seconds ' || extract(epoch FROM clock_timestamp() - :'began');\n"
    file.write_text(f"{began}{query}\n{ended}", encoding="utf-8")
    said, _ = carried_out(server, [str(client("psql")), "-Xq", "-f", str(file)], folder)
    found = re.search(r"seconds ([0-9.]+)", said)
    assert found is not None
    return float(found[1])


if __name__ == "__main__":
    main()
