"""What a scratch server lends: roles that files take for granted, and rights for the time of a run.

A role is made, plain, when the first statement asks for it. A right goes back in the end.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from pgrehearse.errors import first_line

__all__ = ["Lent", "ScratchRunner"]

_NOT_A_MEMBER = re.compile(r'(?:set role|member of role|to SET ROLE) "(.*)"')
_UNKNOWN_ROLE = re.compile(r'role "(.*)" does not exist')


@dataclass(frozen=True)
class ScratchRunner:
    """Who ran the migrations, and where.

    Attributes:
        superuser: name of the cluster's first superuser.
        role: the role that owns the ledger, or the same name.
        attributes: of the role, as CREATE ROLE takes them.
        owner: of the database.
        database: its name.
        locale: options of CREATE DATABASE.
    """

    superuser: str = "postgres"
    role: str = "postgres"
    attributes: str = ""
    owner: str = "postgres"
    database: str = "pgrehearse_check"
    locale: str = ""


@dataclass
class Lent:
    """What was lent so far, on one server.

    Attributes:
        runner: to whom rights are lent.
        notes: gets a sentence about a right that `db/roles.sql` does not declare.
        roles: those that were made because files take them for granted.
    """

    runner: ScratchRunner
    notes: list[str]
    roles: set[str] = field(default_factory=set)
    _rights: dict[str, Composed] = field(default_factory=dict)  # how to take back each

    def role(self, connection: psycopg.Connection[Any], name: str, attributes: str = "") -> bool:
        """Make a role that is taken for granted, if it is not there. Whether it was not."""
        query = "SELECT FROM pg_catalog.pg_roles WHERE rolname = %s"
        if connection.execute(query, [name]).fetchone() is not None:
            return False
        connection.execute(SQL("CREATE ROLE {} LOGIN {}").format(Identifier(name), SQL(attributes)))
        self.roles.add(name)
        return True

    def unknown_role(
        self, admin: psycopg.Connection[Any], refusal: str, among: Collection[str] | None = None
    ) -> bool:
        """Make the role that ``refusal`` misses. Whether the statement may be tried again.

        ``among``: the only ones that may be made; None for any.
        """
        unknown = _UNKNOWN_ROLE.search(refusal)
        if unknown is None or unknown[1] in self.roles or (among is not None and unknown[1] not in among):
            return False
        return self.role(admin, unknown[1])

    def helps(self, admin: psycopg.Connection[Any], error: psycopg.Error) -> bool:
        """Lend the runner what ``error`` misses, until `take_back`. Whether the step may be tried again."""
        if self.unknown_role(admin, str(error)):
            return True
        runner = Identifier(self.runner.role)
        if error.sqlstate != "42501" or self.runner.role == self.runner.superuser:
            return False
        if (other := _NOT_A_MEMBER.search(str(error))) and other[1] not in self._rights:
            self._rights[other[1]] = SQL("REVOKE {} FROM {}").format(Identifier(other[1]), runner)
            admin.execute(SQL("GRANT {} TO {}").format(Identifier(other[1]), runner))
            return True
        if "" not in self._rights and "SUPERUSER" not in self.runner.attributes.split():
            self._rights[""] = SQL("ALTER ROLE {} NOSUPERUSER").format(runner)
            admin.execute(SQL("ALTER ROLE {} SUPERUSER").format(runner))
            self.notes.append(
                f"{self.runner.role} needs rights that db/roles.sql does not declare: {first_line(error)}"
            )
            return True
        return False

    def take_back(self, admin: psycopg.Connection[Any]) -> None:
        """Take back the rights; the roles stay."""
        for statement in self._rights.values():
            admin.execute(statement)
        self._rights.clear()
