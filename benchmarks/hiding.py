"""What hiding passwords costs: 1.2 MB of SQL of several kinds, of this checkout and of another one, in turns.

    python benchmarks/hiding.py [OTHER] [--rounds N]

OTHER is another checkout. Each time is of a process of its own, in milliseconds of its processor time without
its start; the least of some rounds counts. Both have to answer the same, byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_SIZE = 1_200_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("other", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measured()))
        return
    checkouts = [ROOT, *([arguments.other.resolve()] if arguments.other else [])]
    rounds = [[one_round(checkout) for checkout in checkouts] for _ in range(arguments.rounds)]
    print(f"{'':<52}{'this':>8}" + (f"{'other':>8}{'ratio':>8}" if arguments.other else ""))
    for name in rounds[0][0]:
        times = [min(one[number][name][0] for one in rounds) for number in range(len(checkouts))]
        answers = {one[name][1] for one in rounds[0]}
        ratio = f"{times[0] / times[1]:>8.2f}" if len(times) > 1 else ""
        differs = "  another answer" if len(answers) > 1 else ""
        print(f"{name:<52}{''.join(f'{1000 * one:>8.0f}' for one in times)}{ratio}{differs}")


def one_round(checkout: Path) -> dict[str, tuple[float, str]]:
    """Kind of text -> seconds and a digest of the answer."""
    python = [sys.executable, __file__, "--measure"]
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    found = subprocess.run(python, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return {name: (one[0], one[1]) for name, one in json.loads(found.stdout).items()}


def measured() -> dict[str, tuple[float, str]]:
    from pgrehearse.text.passwords import redacted

    found = {}
    for name, text in texts().items():
        began = time.process_time()
        shown = redacted(text)
        found[name] = (time.process_time() - began, hashlib.sha256(shown.encode()).hexdigest())
    return found


def texts() -> dict[str, str]:
    table = "CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL);\nCREATE INDEX ON t (name);\n"
    row = "INSERT INTO t VALUES (1, 'the name of something');\n"
    code = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n{0}END $$;\n"
    login = "CREATE TABLE login (name text, password text);\n"
    return {
        "tables": many(table),
        "tables, and one column for a password": many(table) + login,
        "rows, and one column for a password": many(row) + login,
        "rows, and one that is hashed": many(row) + "INSERT INTO t SELECT n, md5('row' || n) FROM g;\n",
        "functions of an author": many(code.format("NEW.author := 'a';\n")),
        "a large function": code.format(many("PERFORM 1 FROM t WHERE id = 5;\n")) + login,
        "comments about passwords": many("-- the password is asked for elsewhere\n"),
        "rows with passwords": "".join(
            f"INSERT INTO login (name, password) VALUES ('a', 'hunter{n}xyz');\n" for n in range(_SIZE // 67)
        ),
    }


def many(text: str) -> str:
    return text * (_SIZE // len(text))


if __name__ == "__main__":
    main()
