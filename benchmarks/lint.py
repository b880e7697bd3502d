"""What the verdicts cost: db lint and xray, of this checkout and of another one, in turns.

    python benchmarks/lint.py [OTHER] [--rounds N]

OTHER is another checkout with a ``.venv``. Times are wall time of whole processes in seconds, the least of
some rounds: a busy machine only adds. What one statement costs is the difference between files that hold
one of it and several.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = "CREATE TABLE t (id bigint PRIMARY KEY, n int, note text);\n"
SEED = "INSERT INTO t SELECT g, g, 'note' FROM generate_series(1, {rows}) AS g;\n"
_LARGE = "xray, 100,000 rows, "
#: What one statement costs: file with one of it, file with several, how many more those are.
EACH = {
    "a statement that a transaction takes": (
        f"{_LARGE}one that a transaction takes",
        f"{_LARGE}11 that a transaction takes",
        10,
    ),
    "a statement that refuses a transaction": (
        f"{_LARGE}one that refuses a transaction",
        f"{_LARGE}4 that refuse a transaction",
        3,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("other", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    checkouts = [ROOT, *([arguments.other.resolve()] if arguments.other else [])]
    print(f"{'':<52}{'this':>8}" + (f"{'other':>8}{'ratio':>8}" if arguments.other else ""))
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, works in jobs(Path(folder)).items():
            found[name] = [
                min(seconds(one, works, number) for _ in range(arguments.rounds))
                for number, one in enumerate(checkouts)
            ]
            show(name, found[name])
    for what, (one, several, more) in EACH.items():
        pairs = zip(found[one], found[several], strict=True)
        show(f"{what}, each", [(after - before) / more for before, after in pairs])


def show(name: str, values: list[float]) -> None:
    """A line of the table: this checkout, the other one, the ratio."""
    ratio = f"{values[0] / values[1]:>8.2f}" if len(values) > 1 and values[1] > 0 else ""
    print(f"{name:<52}{''.join(f'{value:>8.2f}' for value in values)}{ratio}", flush=True)


def jobs(folder: Path) -> dict[str, Sequence[list[str]]]:
    """What is measured -> arguments of the program here, and in the other checkout."""
    (folder / "schema.sql").write_text(SCHEMA)
    found: dict[str, Sequence[list[str]]] = {
        "db lint, the example's migrations, first": (["db", "lint", "--fresh"], ["db", "lint"]),
        "db lint, the same again": (["db", "lint"], ["db", "lint"]),
    }
    for count in (25, 100, 200):
        adding = "".join(f"ALTER TABLE t ADD COLUMN c{one} int;\n" for one in range(count))
        found[f"xray, {count} statements in one transaction"] = both(
            folder, f"{count}.sql", f"BEGIN;\n{adding}COMMIT;\n", 10
        )
    for name, text in (
        ("nothing", "SELECT 1;\n"),
        ("one that a transaction takes", "ALTER TABLE t ADD COLUMN c0 int;\n"),
        ("11 that a transaction takes", "".join(f"ALTER TABLE t ADD COLUMN c{n} int;\n" for n in range(11))),
        ("one that refuses a transaction", "CREATE INDEX CONCURRENTLY i0 ON t (n);\n"),
        (
            "4 that refuse a transaction",
            "".join(f"CREATE INDEX CONCURRENTLY i{n} ON t (n);\n" for n in range(4)),
        ),
    ):
        found[f"{_LARGE}{name}"] = both(folder, f"{name.replace(' ', '_')}.sql", text, 100_000)
    return found


def both(folder: Path, name: str, text: str, rows: int) -> Sequence[list[str]]:
    seed = folder / f"seed{rows}.sql"
    seed.write_text(SEED.format(rows=rows))
    (folder / name).write_text(text)
    call = ["xray", str(folder / name), "--schema", str(folder / "schema.sql"), "--seed", str(seed)]
    return call, call


def seconds(checkout: Path, works: Sequence[list[str]], number: int) -> float:
    """How long one call of the program of ``checkout`` takes."""
    command = [str(checkout / ".venv" / "bin" / "pgrehearse"), *works[number]]
    began = time.monotonic()
    done = subprocess.run(command, cwd=checkout, env=os.environ, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr}")
    return time.monotonic() - began


if __name__ == "__main__":
    main()
