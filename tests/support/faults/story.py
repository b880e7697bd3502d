"""The whole story of two promotions in one process, so that one blow ends all of it.

    python story.py DSN STAGING PRODUCTION RITA DORA DAN DEPLOY

Begun again it goes on where it was, as people would: status says what is missing.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stdout

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgrehearse.main import main


def call(*words: str) -> tuple[int, str]:
    """``pgrehearse promote WORDS``: exit status and standard output."""
    sys.argv = ["pgrehearse", "promote", *words]
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            main()
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def must(*words: str) -> str:
    """`call`; a failure is that of the story."""
    status, out = call(*words)
    print(" ".join(words), status, flush=True)
    if status:
        sys.exit(status)
    return out


def act_as(dsn: str, person: str) -> None:
    """Connect as ``person`` from now on."""
    name = str(conninfo_to_dict(dsn)["dbname"])
    os.environ["STAGING"] = make_conninfo(dsn, user=person)
    os.environ["PRODUCTION"] = make_conninfo(dsn, user=person, dbname=f"{name}_p")


def promote(dsn: str, environment: str, people: list[str]) -> None:
    """Take ``environment`` to the end of its promotion."""
    rita, dora, dan, deploy = people
    act_as(dsn, rita)
    found = json.loads(must("status", environment, "--json"))[environment]["promotions"]
    if not found:
        must("request", environment)
        found = json.loads(must("status", environment, "--json"))[environment]["promotions"]
    current = found[0]
    if current["state"] == "applied":
        return
    given = {approval["by"] for approval in current["approvals"]}
    for person in (dora, dan):
        if person not in given:
            act_as(dsn, person)
            must("approve", environment, "--plan", current["plan"])
    act_as(dsn, deploy)
    must("apply", environment)


if __name__ == "__main__":
    way, staging, production, *everybody = sys.argv[1:]
    promote(way, staging, everybody)
    promote(way, production, everybody)
