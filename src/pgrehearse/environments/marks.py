"""How a database says which environment it is, in one of two forms that both live in the cluster's catalogs.

    ALTER DATABASE shop SET pgrehearse.environment = 'staging'
    COMMENT ON DATABASE shop IS 'Orders and wishes. [pgrehearse.environment=staging]'

The setting needs a superuser, or a role that was granted SET on the parameter; the comment is the owner's.
Of both only ``pg_dump --create`` and physical copies take the mark along. In SQL every function and operator
is qualified, and the catalogs are read, not the session's settings: no search_path, PGOPTIONS or setting of a
role can forge a mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import psycopg

from pgrehearse import queries
from pgrehearse.environments.names import protection
from pgrehearse.errors import SetupError, first_line

__all__ = ["IN_COMMENT", "Mark", "comment_statement", "read", "set_statement", "write"]

_SETTING = "pgrehearse.environment"
#: The mark in a comment, with the blank that parts it from a text before it; a mark only at the very end.
IN_COMMENT = r" ?\[pgrehearse\.environment=([^\[\]]*)\]"

_MAY_SET = f"SELECT pg_catalog.has_parameter_privilege('{_SETTING}', 'SET'), current_user"


@dataclass(frozen=True)
class Mark:
    """What a database says about itself. Bytes that are no UTF-8 are lone surrogates here.

    Attributes:
        database: its name.
        setting: the value of its setting, None without one.
        comment: the comment on it, mark and all.
    """

    database: str
    setting: str | None
    comment: str

    @property
    def name(self) -> str:
        """The database's name as a terminal can show it."""
        return _shown(self.database)

    def environment(self) -> str | None:
        """The environment, None where none is said, whatever stands there where it is no known name.

        Raises SetupError: the two forms differ, or the comment has a mark that is not at its end.
        """
        tokens = self._tokens()
        if len(tokens) > 1 or (tokens and not re.search(IN_COMMENT + r"\Z", self.comment)):
            raise SetupError(
                f"refused: the comment on database {self.name!r} holds [{_SETTING}=...] more than"
                " once, or not at its end",
                next_step="say which it is: pgrehearse environment set NAME; the rest of the comment stays",
            )
        said = {self.setting, *tokens} - {None}
        if len(said) > 1:
            raise SetupError(
                f"refused: database {self.name!r} is {self.setting!r} by its setting and"
                f" {tokens[0]!r} by its comment",
                next_step="say which it is: pgrehearse environment set NAME; it mends the other form, too",
            )
        return next(iter(said), None)

    @property
    def strongest(self) -> str | None:
        """The most protected name that stands anywhere, None where none does."""
        return max((name for name in (self.setting, *self._tokens()) if name), key=protection, default=None)

    @property
    def source(self) -> str:
        """Where the mark comes from, for people; empty without a mark."""
        found = ["the setting"] if self.setting is not None else []
        return " and ".join([*found, *(["the comment"] if self._tokens() else [])])

    @property
    def text(self) -> str:
        """The comment without the mark."""
        return re.sub(IN_COMMENT, "", self.comment)

    def advice(self, environment: str) -> str:
        """How to mark this database, as a command and as SQL; ends a sentence such as "say it once:"."""
        comment = comment_statement(self.database, environment, self.text)
        return (
            f"pgrehearse environment set {environment}\n    in SQL, as its owner: {_shown(comment)};"
            f"\n    or as a superuser: {_shown(set_statement(self.database, environment))};"
        )

    def _tokens(self) -> list[str]:
        return re.findall(IN_COMMENT, self.comment)


def read(connection: psycopg.Connection[Any]) -> Mark:
    """What the database of ``connection``, in autocommit mode, says."""
    cursor = connection.execute(queries.text("mark"))
    cursor.nextset()
    row = cursor.fetchone()
    assert row is not None
    name, setting, comment = (
        None if value is None else bytes(value).decode("utf-8", "surrogateescape") for value in row
    )
    assert name is not None
    return Mark(name, setting and setting.partition("=")[2], comment or "")


def write(connection: psycopg.Connection[Any], environment: str) -> Mark:
    """Mark the database of ``connection``, in autocommit mode, and return what it says now.

    The setting where the role may set it, else the comment, whose text stays. Whatever the other form said is
    mended or gone. Raises SetupError: the role may not.
    """
    mark = read(connection)
    row = connection.execute(_MAY_SET.encode()).fetchone()
    assert row is not None
    may_set, user = row
    if not may_set and mark.setting not in (None, environment):
        raise SetupError(
            f"refused: database {mark.name!r} is {mark.setting!r} by its setting, which {user} may"
            " not change",
            next_step=f"as a superuser: GRANT SET ON PARAMETER {_SETTING} TO {_identifier(str(user))};"
            f" or ALTER DATABASE {_shown(_identifier(mark.database))} RESET {_SETTING};",
        )
    statements = [set_statement(mark.database, environment)] if may_set else []
    wanted = environment if not may_set and mark.setting is None else None
    comment = comment_statement(mark.database, wanted, mark.text)
    if comment != comment_statement(mark.database, None, mark.comment):
        statements.append(comment)
    try:
        if statements:
            message = "; ".join(["SET LOCAL client_encoding = 'SQL_ASCII'", *statements])
            connection.execute(message.encode("utf-8", "surrogateescape"))
    except psycopg.Error as error:
        raise SetupError(
            f"database {mark.name!r} cannot be marked: {first_line(error)}",
            next_step="as its owner: pgrehearse environment set " + environment,
        ) from None
    return read(connection)


def set_statement(database: str, environment: str) -> str:
    """The statement that marks ``database`` by its setting."""
    return f"ALTER DATABASE {_identifier(database)} SET {_SETTING} = {_literal(environment)}"


def comment_statement(database: str, environment: str | None, text: str = "") -> str:
    """The statement that marks ``database`` by its comment, whose own ``text`` stays; None: no mark."""
    token = f"[{_SETTING}={environment}]" if environment is not None else ""
    comment = " ".join(part for part in (text, token) if part)
    return f"COMMENT ON DATABASE {_identifier(database)} IS {_literal(comment) if comment else 'NULL'}"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted}'" if "\\" not in text else "E'" + quoted.replace("\\", "\\\\") + "'"


def _shown(text: str) -> str:
    """``text`` as a terminal can show it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
