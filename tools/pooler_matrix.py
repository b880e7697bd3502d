"""Try every feature of `tests/support/pooling.py` behind every PgBouncer, in every mode, before every server.

    .venv/bin/python tools/pooler_matrix.py             # say what differs from evidence/poolers.json
    .venv/bin/python tools/pooler_matrix.py --refresh   # write it

The reference page on poolers is made from that file. Needs `make programs`; takes some minutes.
Exit status 1: something differs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pgrehearse import sealed
from pgrehearse.servers import Servers
from pgrehearse.servers.binaries import named

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.pooling import FEATURES, MATRIX, MODES, entered, tried  # noqa: E402
from support.programs import POOLERS, program  # noqa: E402


def measured() -> dict[str, Any]:
    """What ran: the programs' versions, and for each feature and mode who did what."""
    features: dict[str, Any] = {feature: {mode: {} for mode in MODES} for feature in FEATURES}
    versions = {name: _version(name) for name in POOLERS}
    servers_used = {}
    with Servers() as servers:
        wanted, left_out = named("all")
        print(*left_out, sep="\n", file=sys.stderr)
        for major in wanted:
            server = servers.get(major)
            servers_used[str(major)] = server.version
            for name in POOLERS:
                for mode in MODES:
                    print(f"{name}, {mode}, PostgreSQL {major}", file=sys.stderr)
                    for feature, outcome in tried(name, mode, server).items():
                        entered(features[feature][mode], outcome, name, major)
    return {"pgbouncer": versions, "postgresql": servers_used, "features": features}


def _version(name: str) -> str:
    said = subprocess.run([program(name), "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[1]


def main() -> int:
    """Measure, then write or compare."""
    try:
        found = measured()
    except pytest.skip.Exception as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 69
    if "--refresh" in sys.argv[1:]:
        sealed.write(MATRIX, found)
        return 0
    committed = sealed.read(MATRIX)["features"]
    status = 0
    for feature, modes in found["features"].items():
        for mode, outcomes in modes.items():
            if committed.get(feature, {}).get(mode) != outcomes:
                print(f"{feature}, {mode}: {outcomes}, not {committed.get(feature, {}).get(mode)}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
