"""What a cluster says about the roles of a database: attributes, memberships, settings.

Migrations seldom make roles. So a role counts as plain until something says otherwise: its existence and its
LOGIN are compared only where the definition makes the role, its powers always.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import psycopg

from pgrehearse.schema.items import Item

__all__ = ["names", "relevant", "roles"]

#: Roles that this database mentions, those that have their rights, and those that every database must fear.
_RELEVANT = """
WITH RECURSIVE here AS (SELECT oid, datdba, datacl FROM pg_database WHERE datname = current_database()),
mentioned AS (
    SELECT s.refobjid AS oid FROM pg_shdepend AS s, here
     WHERE s.refclassid = 'pg_authid'::regclass
       AND (s.dbid = here.oid OR (s.classid = 'pg_database'::regclass AND s.objid = here.oid))
    UNION SELECT datdba FROM here
    UNION SELECT s.setrole FROM pg_db_role_setting AS s, here WHERE s.setdatabase = here.oid
    UNION SELECT oid FROM pg_roles WHERE rolname = ANY (%(named)s)
    UNION SELECT oid FROM pg_roles WHERE (rolsuper OR rolbypassrls) AND rolcanlogin
    UNION SELECT m.member FROM pg_auth_members AS m
     WHERE m.roleid IN (SELECT oid FROM pg_roles WHERE rolname IN ('pg_read_all_data', 'pg_write_all_data'))
), closed AS (
    SELECT oid FROM mentioned
    UNION SELECT m.member FROM pg_auth_members AS m JOIN closed AS c ON m.roleid = c.oid
)
SELECT r.oid, r.rolname FROM closed AS c JOIN pg_roles AS r USING (oid)
 WHERE r.oid >= 16384 AND r.rolname <> ALL (%(ignored)s)
"""
_ATTRIBUTES = """
SELECT format('role %%s', quote_ident(r.rolname)), a.subject,
       format('%%s ROLE %%s%%s', CASE a.subject WHEN 'exists' THEN 'CREATE' ELSE 'ALTER' END,
              quote_ident(r.rolname), a.sql)
  FROM pg_roles AS r, LATERAL (VALUES
       ('exists', '', r.rolname = ANY (%(named)s)),
       ('login', ' LOGIN', r.rolcanlogin AND r.rolname = ANY (%(named)s)),
       ('superuser', ' SUPERUSER', r.rolsuper),
       ('bypassrls', ' BYPASSRLS', r.rolbypassrls),
       ('createrole', ' CREATEROLE', r.rolcreaterole),
       ('createdb', ' CREATEDB', r.rolcreatedb),
       ('replication', ' REPLICATION', r.rolreplication),
       ('inherit', ' NOINHERIT', NOT r.rolinherit),
       ('connection limit', format(' CONNECTION LIMIT %%s', r.rolconnlimit), r.rolconnlimit <> -1),
       ('valid until', format(' VALID UNTIL %%L', r.rolvaliduntil), r.rolvaliduntil <> 'infinity')
       ) AS a (subject, sql, holds)
 WHERE a.holds AND r.oid = ANY (%(oids)s)
UNION ALL
SELECT format('role %%s', quote_ident(r.rolname)), 'comment',
       format('COMMENT ON ROLE %%s IS %%L', quote_ident(r.rolname), shobj_description(r.oid, 'pg_authid'))
  FROM pg_roles AS r WHERE r.oid = ANY (%(oids)s) AND shobj_description(r.oid, 'pg_authid') IS NOT NULL
UNION ALL
SELECT format('role %%s', quote_ident(r.rolname)), format('setting %%s', split_part(c, '=', 1)),
       format('ALTER ROLE %%s SET %%s TO %%L', quote_ident(r.rolname), split_part(c, '=', 1),
              substring(c FROM position('=' IN c) + 1))
  FROM pg_db_role_setting AS s JOIN pg_roles AS r ON r.oid = s.setrole, unnest(s.setconfig) AS c
 WHERE s.setdatabase = 0 AND r.oid = ANY (%(oids)s)
UNION ALL
SELECT 'all roles', format('setting %%s', split_part(c, '=', 1)),
       format('ALTER ROLE ALL SET %%s TO %%L', split_part(c, '=', 1),
              substring(c FROM position('=' IN c) + 1))
  FROM pg_db_role_setting AS s, unnest(s.setconfig) AS c WHERE s.setdatabase = 0 AND s.setrole = 0
UNION ALL
SELECT format('parameter %%s', p.parname), format('privileges of %%s', coalesce(r.rolname, 'public')),
       format('GRANT %%s ON PARAMETER %%s TO %%s', a.privilege_type, p.parname,
              coalesce(quote_ident(r.rolname), 'PUBLIC'))
  FROM pg_parameter_acl AS p, aclexplode(p.paracl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
 WHERE a.grantee = 0 OR a.grantee = ANY (%(oids)s)
"""
#: Options of a membership are columns since 16. What lets the role of a check read is no finding of it.
_MEMBERS = """
SELECT format('role %%s', quote_ident(m.rolname)), format('member of %%s', g.rolname),
       format('GRANT %%s TO %%s', quote_ident(g.rolname), quote_ident(m.rolname)) || {options}
  FROM pg_auth_members AS a JOIN pg_roles AS g ON g.oid = a.roleid JOIN pg_roles AS m ON m.oid = a.member
 WHERE a.member >= 16384 AND m.rolname <> ALL (%(ignored)s)
   AND (a.member = ANY (%(oids)s) OR a.roleid = ANY (%(oids)s))
   AND NOT (m.rolname = session_user AND g.rolname = 'pg_read_all_data')
"""
_OPTIONS = {
    15: "CASE WHEN a.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END",
    16: "format(' WITH ADMIN %%s, INHERIT %%s, SET %%s', upper(a.admin_option::text),"
    " upper(a.inherit_option::text), upper(a.set_option::text))",
}


def roles(
    connection: psycopg.Connection[Any], named: Collection[str] = (), ignored: Collection[str] = ()
) -> list[Item]:
    """Items about the roles that matter to this database.

    Args:
        named: roles that the definition makes; whether they exist and may log in is compared too.
        ignored: roles that are left out, such as the one a scratch server is administered with.

    Raises psycopg.Error.
    """
    values = {"named": list(named), "ignored": list(ignored)}
    values["oids"] = [row[0] for row in connection.execute(_RELEVANT.encode(), values)]
    options = _OPTIONS[15 if connection.info.server_version < 160000 else 16]
    members = _MEMBERS.replace("{options}", options)
    rows = [row for query in (_ATTRIBUTES, members) for row in connection.execute(query.encode(), values)]
    return sorted({Item(*row) for row in rows})


def relevant(connection: psycopg.Connection[Any]) -> list[str]:
    """The roles that matter to this database, by name."""
    values: dict[str, list[str]] = {"named": [], "ignored": []}
    return sorted(str(row[1]) for row in connection.execute(_RELEVANT.encode(), values))


def names(connection: psycopg.Connection[Any]) -> set[str]:
    """Every role that somebody made in this cluster."""
    return {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles WHERE oid >= 16384")}
