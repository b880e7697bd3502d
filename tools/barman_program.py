"""Put Barman beside the system, for the tests about it: called as a program, never imported, for it is GPL.

    tools/barman_program.py

It comes from the Python package registry with its libraries, pinned, into the cache of pgrehearse; the
starter `debian/bin/barman-3.19` lies beside those of tools/debian_programs.py. Barman restores with rsync,
which that tool unpacks. Exit status 69: it could not be had, with the reason.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pgrehearse.errors import PgRehearseError, SetupError
from pgrehearse.servers.cache import building, subdirectory

__all__ = ["PINNED", "install"]

PINNED = ("barman==3.19.1", "psycopg2-binary==2.9.13", "python-dateutil==2.9.0.post0", "six==1.17.0")
_NAME = "barman-3.19"
_LIMIT = 600  # seconds
_STARTER = """#!{python}
import sys

sys.path.insert(0, {place!r})
from barman.cli import main

sys.exit(main())
"""


def install() -> Path:
    """The starter. Raises SetupError."""
    python = _python()
    place = subdirectory("debian") / _NAME
    with building(place) as scratch:
        if scratch is not None:
            fresh = scratch / "packages"
            words = ["install", "-q", "--no-deps", "--only-binary=:all:", "--target", str(fresh), *PINNED]
            command = [sys.executable, "-m", "pip", f"--python={python}", *words]
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_LIMIT)
            if done.returncode:
                said = (done.stderr.strip().splitlines() or ["no message"])[-1]
                raise SetupError(f"pip could not get Barman: {said}", next_step="look at the network")
            subprocess.run(["chmod", "-R", "a+rX", str(fresh)], check=True)  # it runs as another user
            fresh.rename(place)
    starter = subdirectory("debian") / "bin" / _NAME
    starter.parent.mkdir(mode=0o755, exist_ok=True)
    text = _STARTER.format(python=python, place=str(place))
    if not starter.exists() or starter.read_text("utf-8") != text:
        draft = starter.with_name(f".{_NAME}")
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o755)
        draft.replace(starter)
    return starter


def _python() -> str:
    """The system's, for every user can run it; ours where there is none."""
    return "/usr/bin/python3" if Path("/usr/bin/python3").exists() else str(Path(sys.executable).resolve())


def main() -> int:
    """Install it and print the starter."""
    try:
        print(install())
    except PgRehearseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
