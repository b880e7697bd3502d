"""The real dbmate, as a second opinion on the same files; from PATH, or from npm, once.

The npm package ``@dbmate/PLATFORM`` holds the program and nothing else.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from pgrehearse.errors import ExpectationError, SetupError
from pgrehearse.servers import npm
from pgrehearse.servers.cache import building, subdirectory

__all__ = ["VERSION", "Dbmate", "find"]

#: The version that is fetched where none is installed.
VERSION = "2.36.0"
_MEMBER = "package/bin/dbmate"
_LIMIT = 600.0  # seconds
_NEXT = "install dbmate, or npm, which fetches it once"


@dataclass(frozen=True)
class Dbmate:
    """The program and its version."""

    program: Path
    version: str

    def run(self, conninfo: str, migrations: Path, command: str, *options: str) -> str:
        """What ``dbmate COMMAND`` prints on that database. Raises ExpectationError when it fails.

        The connection string goes through the environment, because it may hold a password.
        """
        try:
            done = subprocess.run(
                [
                    str(self.program),
                    "--no-dump-schema",
                    "--migrations-dir",
                    str(migrations),
                    command,
                    *options,
                ],
                cwd=migrations,
                env={**_quiet(), "DATABASE_URL": url(conninfo)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ExpectationError(f"dbmate {command} did not end within {_LIMIT:.0f} s") from None
        if done.returncode != 0:
            lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            said = lines[-1] if lines else f"exit status {done.returncode}"
            raise ExpectationError(
                f"dbmate {command} failed: {said}",
                path=migrations,
                next_step="write the file so that both runners take it: a file without transaction"
                " holds one statement",
            )
        return done.stdout


def url(conninfo: str) -> str:
    """A libpq connection string as the URL that dbmate reads."""
    parts = {key: str(value) for key, value in conninfo_to_dict(conninfo).items() if value is not None}
    user, host = quote(parts.pop("user", ""), safe=""), parts.pop("host", "")
    password = parts.pop("password", "")
    database, port = quote(parts.pop("dbname", ""), safe=""), parts.pop("port", "5432")
    # dbmate's driver knows no "prefer"
    secured = parts.get("sslmode", "") in ("require", "verify-ca", "verify-full")
    options = {"sslmode": parts["sslmode"] if secured else "disable"}
    if host.startswith("/"):
        options["socket"] = host
        host = ""
    login = user + (f":{quote(password, safe='')}" if password else "")
    return f"postgres://{login}@{host}:{port}/{database}?{urlencode(options)}"


def find() -> Dbmate:
    """The dbmate of this machine, fetched from npm the first time. Raises SetupError: none is to be had."""
    installed = shutil.which("dbmate")
    program = Path(installed) if installed else _fetched()
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=60, check=False
        )
    except OSError as error:
        raise SetupError(f"dbmate does not run here: {error}", next_step=_NEXT) from None
    if done.returncode != 0 or not done.stdout.split():
        raise SetupError(f"dbmate does not run here: {done.stderr.strip()[:200]}", next_step=_NEXT)
    return Dbmate(program, done.stdout.split()[-1])


def _fetched() -> Path:
    machine, program = npm.machine(), shutil.which("npm")
    if machine is None:
        raise SetupError(f"npm has no dbmate for {sys.platform} {platform.machine()}", next_step=_NEXT)
    place = subdirectory("npm") / f"dbmate-{machine}-{VERSION}"
    if not place.exists() and program is None:
        raise SetupError("there is no dbmate here, and no npm to fetch it", next_step=_NEXT)
    with building(place) as scratch:
        if scratch is not None:
            assert program is not None
            (scratch / "bin").mkdir()
            archive = npm.packed(program, f"@dbmate/{machine}@{VERSION}", scratch, _NEXT)
            _unpack(archive, scratch / "bin" / "dbmate")
            (scratch / "bin").rename(place)
    return place / "dbmate"


def _unpack(archive: Path, target: Path) -> None:
    """Take the one file that is wanted; nothing else of the archive is written."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            source = tar.extractfile(_MEMBER)
            if source is None:
                raise KeyError(_MEMBER)
            with source, target.open("xb") as out:
                shutil.copyfileobj(source, out)
    except (tarfile.TarError, EOFError, OSError, KeyError) as error:
        raise SetupError(f"the npm archive of dbmate cannot be read: {error}", next_step=_NEXT) from None
    target.chmod(0o755)


def _quiet() -> dict[str, str]:
    """The environment without what would change how dbmate works."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DBMATE_", "PG")) and name != "DATABASE_URL"
    }
