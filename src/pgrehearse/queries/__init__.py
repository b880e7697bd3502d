"""The larger SQL texts, one file each, and the one answer to what in a database is the application's.

A file holds what is sent: a percent sign is doubled where the query takes parameters. ``{word}`` stands for a
condition of this module or a value that the caller gives. Catalogs, functions and types are written with
``pg_catalog.``, so that no search path can put others in their place.

In conditions ``n`` is the row of pg_namespace, ``c`` of pg_class, ``t`` of pg_type, ``p`` of pg_proc,
``g`` of pg_roles.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

__all__ = ["APPLICATION_SCHEMA", "APPLICATION_TABLE", "USER_SCHEMA", "brought", "text"]

#: Not PostgreSQL's own: neither catalogs, TOAST tables nor anybody's temporary objects. No user may make a
#: schema whose name begins with pg_.
USER_SCHEMA = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
#: Nor the ledger's, nor that of promotions.
APPLICATION_SCHEMA = f"{USER_SCHEMA} AND n.nspname NOT IN ('pgrehearse', 'pgrehearse_promotion')"


def brought(catalog: str, oid: str) -> str:
    """The condition that an extension brought the row ``oid`` of ``catalog``."""
    return (
        "EXISTS (SELECT FROM pg_catalog.pg_depend AS member WHERE member.deptype = 'e'"
        f" AND member.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass AND member.objid = {oid})"
    )


#: A relation of the application: in one of its schemas, not dbmate's, and not of an extension, which is made
#: and changed as a whole.
APPLICATION_TABLE = (
    f"{APPLICATION_SCHEMA} AND NOT (n.nspname = 'public' AND c.relname = 'schema_migrations')"
    f" AND NOT {brought('pg_class', 'c.oid')}"
)
#: A role ``g`` that `promote install` makes: it has rights on the schema of promotions only.
PROMOTION_ROLE = (
    "g.rolname ~ '^pgrehearse_[a-z][a-z0-9_]*_(owner|requester|approver|runner|viewer|dashboard)$'"
)
_CONDITIONS = {
    "promotion_role": PROMOTION_ROLE,
    "user_schema": USER_SCHEMA,
    "application_schema": APPLICATION_SCHEMA,
    "application_table": APPLICATION_TABLE,
    "brought_type": brought("pg_type", "t.oid"),
    "brought_function": brought("pg_proc", "p.oid"),
}


def text(name: str, **values: int | str) -> bytes:
    """The query of the file ``name``. Raises KeyError: a word in it is neither ours nor in ``values``."""
    words = [
        (str(values[word]) if word in values else _CONDITIONS[word]) if at % 2 else word
        for at, word in enumerate(_parts(name))
    ]
    return "".join(words).encode()


@cache  # of files, and not of what is put in: that is different for each statement of a run
def _parts(name: str) -> tuple[str, ...]:
    """The file ``name``: its text and, at every second place, the word between two texts."""
    sql = Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
    return tuple(re.split(r"\{([a-z_]+)\}", sql))
