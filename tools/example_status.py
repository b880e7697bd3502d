"""Put an example beside the guide about status: what `pgrehearse status --html` wrote of the demo.

    tools/example_status.py SITE

One environment has drift and an interrupted build, one waits for an approval, one cannot be reached, and one
of four databases of a group is not well. All of it is made on a server of its own, which ends with this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from pgrehearse.servers import Servers

ROOT = Path(__file__).resolve().parents[1]
#: Below the site; the guide links to it by this name.
PAGE = Path("guides", "what-a-red-cell-means", "example.html")

_SCRIPT = """
psql -qX -d postgres -c "CREATE DATABASE example" \
  -c "ALTER DATABASE example SET pgrehearse.environment = 'disposable'"
. <(pgrehearse environment demo --on "dbname=$PGDATABASE")
pgrehearse db up --dsn "$DEVELOPMENT_DSN"
psql -qX "$DEVELOPMENT_DSN" -v rows=1000 -f db/seed.sql
psql -qX "$DEVELOPMENT_DSN" -c "CREATE INDEX by_hand ON wishlist_items (created_at)" \
  -c "ALTER TABLE wishlist_items ADD CONSTRAINT priced CHECK (price > 0) NOT VALID"
psql -qX "$DEVELOPMENT_DSN" -c "CREATE UNIQUE INDEX CONCURRENTLY one_title ON wishlist_items (title)" || true
for shop in berlin paris oslo rome; do
  psql -qX -U postgres -c "CREATE DATABASE shop_$shop OWNER deploy" \
    -c "ALTER DATABASE shop_$shop SET pgrehearse.environment = 'staging'"
  pgrehearse db up --dsn "dbname=shop_$shop user=deploy"
done
psql -qX -U postgres -d shop_oslo \
  -c "ALTER TABLE wishlist_items ADD CONSTRAINT priced CHECK (price > 0) NOT VALID"
export PRODUCTION_DSN="host=127.0.0.1 port=1 dbname=shop"
PGUSER=postgres pgrehearse promote install staging
PGUSER=rita pgrehearse promote request staging
PGUSER=postgres pgrehearse status --drift --html example.html --handbook ../.. || [ $? = 69 ]
"""
_ENVIRONMENTS = """
[[environment]]
name = "development"
dsn_env = "DEVELOPMENT_DSN"

[[environment]]
name = "staging"
dsn_env = "STAGING_DSN"
approvals = 1
approvers = ["dora", "dan"]
requesters = ["rita"]
runners = ["deploy"]
viewers = ["vic"]
without = ["drift", "rehearsal", "policy", "backup"]
groups = { shops = ["shop_berlin", "shop_paris", "shop_oslo", "shop_rome"] }

[[environment]]
name = "production"
dsn_env = "PRODUCTION_DSN"
approvals = 2
approvers = ["dora", "dan"]
requesters = ["rita"]
runners = ["deploy"]
"""


def main(words: list[str]) -> int:
    """Write the page below the site that is named."""
    if len(words) != 1:
        print(__doc__, file=sys.stderr)
        return 64
    target = Path(words[0]) / PAGE
    with Servers() as servers, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "db").symlink_to(ROOT / "db")
        (place / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
        (place / "environments.toml").write_text(_ENVIRONMENTS, encoding="utf-8")
        there = conninfo_to_dict(servers.get(None).dsn("postgres"))
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **{f"PG{key.upper()}": str(there[key]) for key in ("host", "port", "user")},
            "PGDATABASE": "example",
        }
        command = ["bash", "-eu", "-o", "pipefail", "-c", _SCRIPT]
        done = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            print(f"error: no example was made\n{done.stdout}{done.stderr}", file=sys.stderr)
            return 1
        target.write_bytes((place / "example.html").read_bytes())
    print(f"an example of a status page is {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
