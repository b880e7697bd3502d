"""Installs the state machine: applies ``sql/promotion.sql`` and grants its roles to whom the file names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from pgrehearse.connections import connect
from pgrehearse.environments.declared import MEMBERS, Environment
from pgrehearse.errors import SetupError, first_line
from pgrehearse.promotion.gate_table import prefix, required
from pgrehearse.promotion.ledger_readers import admit
from pgrehearse.text import variables
from pgrehearse.text.split import split

__all__ = ["FILE", "Installed", "install"]

#: The reviewed file.
FILE = Path(__file__).with_name("sql") / "promotion.sql"
#: Memberships that can be used, and who granted them: only that role's grant is revoked by REVOKE, since 16.
_MEMBERS = """
SELECT pg_catalog.pg_get_userbyid(m.member), pg_catalog.pg_get_userbyid(m.grantor)
  FROM pg_catalog.pg_auth_members AS m JOIN pg_catalog.pg_roles AS r ON r.oid = m.roleid
 WHERE r.rolname = %s
   AND coalesce(pg_catalog.to_jsonb(m) ->> 'inherit_option' = 'true'
                OR pg_catalog.to_jsonb(m) ->> 'set_option' = 'true', true)
"""


@dataclass(frozen=True)
class Installed:
    """What `install` did.

    Attributes:
        granted, revoked: memberships that the file names and that were missing, or that it does not name, as
            ``(group role, member)``. A list that is not in the file is nobody's business here.
        unread: tables of the ledger that requesters, approvers and viewers may not read, because another role
            has to say so.
    """

    granted: tuple[tuple[str, str], ...]
    revoked: tuple[tuple[str, str], ...]
    unread: tuple[str, ...] = ()


def install(conninfo: str, environment: Environment, position: int) -> Installed:
    """Apply the file to a database of ``environment``, in one transaction; again does no harm.

    ``position``: of the environment in the file, counted from 0.

    Raises SetupError: the role may not, or something there belongs to others.
    """
    names = {role: f"{prefix(environment)}_{role}" for role in MEMBERS.values()}
    values = {
        "environment": environment.name,
        "prefix": prefix(environment),
        "approvals": str(environment.approvals),
        "gates": "{" + ",".join(required(environment, position)) + "}",
        **names,
    }
    text = variables.substitute(FILE.read_text("utf-8"), values)
    try:
        with connect(conninfo, application_name="pgrehearse promote install") as connection:
            connection.execute("SET LOCAL client_min_messages = warning")
            connection.execute("SET LOCAL lock_timeout = '10s'")
            for statement in split(text):
                connection.execute(statement.sql.encode())
            done = _members(connection, environment, names)
            return replace(done, unread=tuple(admit(connection, prefix(environment))))
    except psycopg.Error as error:
        hint = error.diag.message_hint
        raise SetupError(
            f"promotion cannot be installed: {first_line(error)}",
            next_step=hint or "install it as a role with CREATEROLE, and CREATE on the database",
        ) from None


def _members(
    connection: psycopg.Connection[tuple[object, ...]], environment: Environment, names: dict[str, str]
) -> Installed:
    granted, revoked = [], []
    for role, wanted in environment.members.items():
        group = names[role]
        there = [
            (str(one), str(grantor)) for one, grantor in connection.execute(_MEMBERS, [group]).fetchall()
        ]
        for member in sorted(set(wanted).difference(name for name, _ in there)):
            connection.execute(SQL("GRANT {} TO {}").format(Identifier(group), Identifier(member)))
            granted.append((group, member))
        for member, grantor in there:
            if member not in wanted:
                revoke = SQL("REVOKE {} FROM {}").format(Identifier(group), Identifier(member))
                if connection.info.server_version >= 160000:
                    revoke += SQL(" GRANTED BY {}").format(Identifier(grantor))
                connection.execute(revoke)
                revoked.append((group, member))
    return Installed(tuple(granted), tuple(revoked))
