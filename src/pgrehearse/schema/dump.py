"""pg_dump, as a comparison needs it: the schema of one database, said the same way everywhere."""

from __future__ import annotations

import subprocess

from psycopg.conninfo import conninfo_to_dict

from pgrehearse.environments.mark import environment_variables
from pgrehearse.errors import SetupError
from pgrehearse.servers import libpq_environment
from pgrehearse.servers.binaries import client

__all__ = ["OPTIONS", "dump"]

#: What the session says about itself. It beats settings of the database and the role, which would otherwise
#: change how the server writes bounds, constants and view definitions.
OPTIONS = " ".join(
    f"-c {setting}"
    for setting in (
        "default_transaction_read_only=on",
        "TimeZone=UTC",
        "bytea_output=hex",
        "lc_monetary=C",
        "quote_all_identifiers=off",
        "xmloption=content",
    )
)
_FLAGS = (
    "--schema-only",
    "--create",
    "--encoding=UTF8",
    "--restrict-key=pgrehearse",
    "--lock-wait-timeout=15s",
    "--exclude-schema=pgrehearse",
    "--exclude-table=public.schema_migrations",
)


def dump(conninfo: str, snapshot: str = "") -> tuple[str, tuple[str, ...]]:
    """The schema of a database as pg_dump writes it, and what pg_dump warns of.

    Raises SetupError: pg_dump is not here, or the role may not read all of the schema.
    """
    given = {key: str(value) for key, value in conninfo_to_dict(conninfo).items() if value}
    given["options"] = f"{given.get('options', '')} {OPTIONS}".strip()
    flags = [*_FLAGS, *([f"--snapshot={snapshot}"] if snapshot else [])]
    done = subprocess.run(
        [client("pg_dump"), *flags],
        env=libpq_environment({**environment_variables(given), "LC_ALL": "C"}),
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode:
        raise _refused(said)
    lines = [line.removeprefix("pg_dump: ") for line in said.splitlines()]
    warnings = tuple(line for line in lines if line.startswith("warning: "))
    return done.stdout.decode("utf-8"), warnings


def _refused(said: str) -> SetupError:
    lines = [line.removeprefix("pg_dump: error: ") for line in said.splitlines() if "detail:" not in line]
    reason = next((line for line in lines if "permission denied" in line), lines[0] if lines else "no reason")
    if "permission denied" in reason:
        reason = reason[reason.index("permission denied") :]
        return SetupError(
            f"the schema cannot be compared: {reason}",
            next_step="GRANT pg_read_all_data TO the role that checks; it can read all and write nothing",
        )
    if "lock timeout" in said:
        return SetupError(
            "the schema cannot be read: a table stays locked by another session",
            next_step="wait until that change has ended, then run this again",
        )
    return SetupError(f"pg_dump failed: {reason}", next_step="check the DSN and its role")
