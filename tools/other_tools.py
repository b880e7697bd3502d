"""Execute the migrations in ``other-tools/`` with the tools of others, and keep what came of them.

    .venv/bin/python tools/other_tools.py             # say what differs from evidence/other-tools.json
    .venv/bin/python tools/other_tools.py --refresh   # write it
    .venv/bin/python tools/other_tools.py --refresh rails drizzle  # of these alone

The tools are installed into the cache, pinned, from the Python and the npm registry (`npm` on PATH). Each
change is made on a fresh copy of the example database, on every major; what the tool sent is read from the
server's log.
Exit status 1: something differs. 69: a tool could not be had.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Callable, Collection
from typing import Any

from other_tools_bench import CHANGES, EVIDENCE, SOURCE, TOOLS, Bench, Place, digest, files, works

from pgrehearse import sealed
from pgrehearse.connections import connect
from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.servers import Servers
from pgrehearse.servers.binaries import named
from pgrehearse.text.split import split

_PATIENCE, _LIMIT = 180.0, 300  # seconds until a run waits or has ended, and until it must have ended


# --- what is tried ---------------------------------------------------------------------------------------


def made(bench: Bench, name: str, change: str) -> list[str]:
    """Make ``change``, and again; what was sent the first time. Raises SetupError: it was not made."""
    with bench.place(name, change) as place:
        before = len(place.sent())
        status, said = place.run()
        sent = place.sent()[before:]
        if status or place.one(CHANGES[change]) is not True:
            raise SetupError(f"{name} did not make {change}: {said}", next_step="mend the migration")
        status, said = place.run(again=True)
        work = [text for text in place.sent()[before + len(sent) :] if any(map(works, split(text)))]
        if status or work:
            raise SetupError(f"{name} made {change} twice: {work} {said}", next_step="mend the migration")
        return sent


def two_at_once(bench: Bench, name: str) -> str:
    """What becomes of two runs at the same moment, told by the rows: each run adds a sign to each."""
    with bench.place(name, "two-at-once") as place:
        for words in place.tool.commands[:-1]:
            place.begun(words).communicate(timeout=_LIMIT)
        sum_before = place.one("SELECT sum(length(title)) FROM wishlist_items")
        rows = place.one("SELECT count(*) FROM wishlist_items")
        with connect(place.server.dsn(place.database)) as blocker:
            blocker.execute("SELECT FROM wishlist_items FOR UPDATE")
            first = place.begun(place.tool.commands[-1])
            _until(lambda: _waiting(place) >= 1 or first.poll() is not None)
            looked = place.looked()
            second = place.begun(place.tool.commands[-1])
            _until(lambda: _waiting(place) >= 2 or second.poll() is not None or place.looked() > looked)
            early = second.poll()
            blocker.rollback()
        said = [process.communicate(timeout=_LIMIT)[0] for process in (first, second)]
        times = (place.one("SELECT sum(length(title)) FROM wishlist_items") - sum_before) // rows
        if early is not None and not first.returncode:
            return f"the second one ends at once with status {early}: {_last(said[1])}"
        # Where both work, either may be the one that finds the other's entry in the tool's own table.
        best, worst = sorted((first.returncode, second.returncode))
        if best:
            raise SetupError(f"{name}: both of two failed: {said[0]}", next_step="look at it")
        waited = f"the second one waits, and {'one of them ' if worst else ''}ends with status {worst}"
        return f"{waited}; the UPDATE ran {'once' if times == 1 else f'{times} times'}"


def late_merge(bench: Bench, name: str) -> str:
    """What becomes of a migration whose name sorts before one that was applied already."""
    late = files("late-merge", name)[-2].name
    with bench.place(name, "late-merge", without=late) as place:
        status, said = place.run()
        if status:
            raise SetupError(f"{name}: the migrations before the late one failed: {said}", next_step="look")
        shutil.copy(SOURCE / name / "late-merge" / late, place.folder / place.tool.folder / late)
        status, said = place.run(again=True)
        if status:
            return f"refused with status {status}: {_last(said)}"
        comment = place.one("SELECT obj_description('wishlist_items'::regclass)")
        return "run late, without a word" if comment == "2" else "left out, without a word"


def _until(true: Callable[[], bool]) -> None:
    limit = time.monotonic() + _PATIENCE
    while not true():
        if time.monotonic() > limit:
            raise SetupError("neither run waits or ends", next_step="run it alone")
        time.sleep(0.02)


def _waiting(place: Place) -> int:
    return int(
        place.one(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        )
    )


def _last(said: str) -> str:
    """The line that says what is wrong, without what differs from run to run."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for wanted in ("another|already running", "error|conflict|multiple|order"):
        if found := next((line for line in lines if re.search(wanted, line, re.I)), None):
            return found
    return lines[-1] if lines else "no message"


def measured(names: Collection[str]) -> dict[str, Any]:
    """What came of the tools ``names``. Raises SetupError: majors differ, or a change was not made."""
    found: dict[str, Any] = {}
    versions: dict[str, str] = {}
    with Servers() as servers:
        for major in [one for one in named("all")[0] if one != 19]:
            bench = Bench(servers.get(major))
            versions[str(major)] = bench.server.version
            for name in names:
                tool = TOOLS[name]
                print(f"{name}, PostgreSQL {major}", file=sys.stderr)
                one: dict[str, Any] = {
                    "title": tool.title,
                    "version": tool.version or re.split("==|@", tool.pins[0])[1],
                    "two at once": two_at_once(bench, name),
                    "late merge": late_merge(bench, name),
                    "changes": {
                        change: {"digest": digest(change, name), "sent": made(bench, name, change)}
                        for change in CHANGES
                    },
                }
                if found.setdefault(name, one) != one:
                    raise SetupError(f"{name} does not do the same on {major}: {one}", next_step="look at it")
            bench.databases.close()
    return {"postgresql": versions, "tools": found}


def main(words: list[str]) -> int:
    """Measure, then write or compare."""
    names = [word for word in words if word != "--refresh"] or list(TOOLS)
    if unknown := set(names) - set(TOOLS):
        print(f"error: no tool {', '.join(sorted(unknown))}; there are {', '.join(TOOLS)}", file=sys.stderr)
        return 64
    try:
        found = measured(names)
    except PgRehearseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    known = sealed.read(EVIDENCE)
    if set(names) != set(TOOLS):
        if known["postgresql"] != found["postgresql"]:
            print("error: the others ran on other versions of PostgreSQL; execute all", file=sys.stderr)
            return 1
        merged = known["tools"] | found["tools"]
        found["tools"] = {name: merged[name] for name in TOOLS if name in merged}
    if "--refresh" in words:
        sealed.write(EVIDENCE, found)
        return 0
    if found == known:
        return 0
    print("evidence/other-tools.json differs from what was found; --refresh writes it")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
