"""What pg_dump leaves out of a database, by queries that give the same form."""

from __future__ import annotations

from typing import Any

import psycopg

from pgrehearse.schema.items import Item

__all__ = ["extras", "unseen", "versions"]

#: Each gives object, subject, statement. The search path is empty, so names come out qualified.
_QUERIES = (
    # pg_dump leaves an invalid index out altogether.
    """SELECT format('table %s', i.indrelid::regclass), format('index %s', i.indexrelid::regclass),
              format('-- INVALID: %s', pg_get_indexdef(i.indexrelid))
         FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
          AND c.relnamespace <> ALL (%(own)s::oid[]) AND c.relpersistence <> 't'
          AND (c.relkind = 'i' OR NOT i.indisvalid)""",
    # DISABLE TRIGGER ALL switches foreign keys off, and pg_dump knows only triggers with a name.
    """SELECT DISTINCT format('table %s', t.tgrelid::regclass),
              format('triggers of constraint %s', coalesce(quote_ident(k.conname), t.tgname)),
              format('ALTER TABLE %s %s TRIGGER ALL -- trigger of constraint %s', t.tgrelid::regclass,
                     CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                     ELSE 'ENABLE ALWAYS' END, coalesce(quote_ident(k.conname), t.tgname))
         FROM pg_trigger AS t LEFT JOIN pg_constraint AS k ON k.oid = t.tgconstraint
        WHERE t.tgisinternal AND t.tgenabled <> 'O'""",
    """SELECT format('extension %s', quote_ident(e.extname)), 'version',
              CASE WHEN e.extversion = a.default_version
                   THEN format('ALTER EXTENSION %s UPDATE', quote_ident(e.extname))
                   ELSE format('ALTER EXTENSION %s UPDATE TO %L', quote_ident(e.extname), e.extversion) END
         FROM pg_extension AS e LEFT JOIN pg_available_extensions AS a ON a.name = e.extname""",
    "SELECT 'schema public', 'schema', 'CREATE SCHEMA public' FROM pg_namespace WHERE nspname = 'public'",
    """SELECT 'database', 'tablespace',
              format('ALTER DATABASE :"DBNAME" SET TABLESPACE %s', quote_ident(t.spcname))
         FROM pg_database AS d JOIN pg_tablespace AS t ON t.oid = d.dattablespace
        WHERE d.datname = current_database() AND t.spcname <> 'pg_default'""",
    """SELECT 'database', 'connections', 'ALTER DATABASE :"DBNAME" ALLOW_CONNECTIONS false'
         FROM pg_database WHERE datname = current_database() AND NOT datallowconn""",
    """SELECT format('table %s', inhparent::regclass), format('partition %s', inhrelid::regclass),
              format('ALTER TABLE %s DETACH PARTITION %s FINALIZE -- not finished', inhparent::regclass,
                     inhrelid::regclass)
         FROM pg_inherits WHERE inhdetachpending""",
    """SELECT format('subscription %s', quote_ident(subname)), 'state',
              format('ALTER SUBSCRIPTION %s %s', quote_ident(subname),
                     CASE WHEN subenabled THEN 'ENABLE' ELSE 'DISABLE' END)
         FROM pg_subscription
        WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())""",
    # Loose members of a built-in operator family, and objects in system schemas, are nobody's in a dump.
    """SELECT 'system objects', i.identity, format('-- in a system schema: %s %s', i.type, i.identity)
         FROM (SELECT 'pg_amop'::regclass AS classid, m.oid, NULL::oid AS space
                 FROM pg_amop AS m WHERE m.oid >= 16384 AND m.amopfamily < 16384
               UNION ALL
               SELECT 'pg_amproc'::regclass, m.oid, NULL FROM pg_amproc AS m
                WHERE m.oid >= 16384 AND m.amprocfamily < 16384
               UNION ALL
               SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc WHERE oid >= 16384
               UNION ALL
               SELECT 'pg_class'::regclass, oid, relnamespace FROM pg_class
                WHERE oid >= 16384 AND relkind <> 't'
               UNION ALL
               SELECT 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator WHERE oid >= 16384) AS o,
              LATERAL pg_identify_object(o.classid, o.oid, 0) AS i
        WHERE (o.space IS NULL OR o.space IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace))
          AND NOT EXISTS (SELECT FROM pg_depend AS d
                           WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype IN ('e', 'i'))""",
)
#: What an extension brought is not in a dump, so nobody would see that it was changed since.
_MEMBERS = """
WITH members AS (
    SELECT e.extname, d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
     WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
SELECT format('extension %s', quote_ident(extname)), format('member %s', i.identity),
       coalesce(m.definition, '') || format(E'\n-- owned by %s', m.owner)
  FROM (SELECT m.extname, m.classid, m.objid, pg_get_userbyid(p.proowner) AS owner,
               CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition
          FROM members AS m JOIN pg_proc AS p ON p.oid = m.objid WHERE m.classid = 'pg_proc'::regclass
        UNION ALL
        SELECT m.extname, m.classid, m.objid, pg_get_userbyid(c.relowner),
               concat(CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
               (SELECT string_agg(format(', %I %s %s %s', a.attname, format_type(a.atttypid, a.atttypmod),
                                         CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                                         pg_get_expr(f.adbin, f.adrelid)), '' ORDER BY a.attname)
                  FROM pg_attribute AS a LEFT JOIN pg_attrdef AS f
                    ON f.adrelid = a.attrelid AND f.adnum = a.attnum
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
               (SELECT string_agg('; ' || pg_get_indexdef(x.indexrelid), ''
                                  ORDER BY x.indexrelid::regclass::text)
                  FROM pg_index AS x WHERE x.indrelid = c.oid),
               (SELECT string_agg('; ' || pg_get_triggerdef(g.oid), '' ORDER BY g.tgname)
                  FROM pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal))
          FROM members AS m JOIN pg_class AS c ON c.oid = m.objid WHERE m.classid = 'pg_class'::regclass
        UNION ALL
        SELECT m.extname, m.classid, m.objid, pg_get_userbyid(t.typowner),
               (SELECT string_agg(n.enumlabel, ', ' ORDER BY n.enumsortorder)
                  FROM pg_enum AS n WHERE n.enumtypid = t.oid)
          FROM members AS m JOIN pg_type AS t ON t.oid = m.objid WHERE m.classid = 'pg_type'::regclass
       ) AS m, LATERAL pg_identify_object(m.classid, m.objid, 0) AS i
"""
_VERSIONS = "SELECT format('extension %s', quote_ident(extname)), extversion FROM pg_extension"
_HIDDEN = """
SELECT format('options of the user mapping for %s on server %s', usename, srvname)
  FROM pg_user_mappings
 WHERE umoptions IS NULL AND NOT pg_has_role(umuser, 'USAGE')
   AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
"""
_OWN = "SELECT coalesce(array_agg(oid), '{}') FROM pg_namespace WHERE nspname IN ('pgrehearse', 'pg_toast')"


def extras(connection: psycopg.Connection[Any]) -> list[Item]:
    """Items that pg_dump does not write. Raises psycopg.Error."""
    row = connection.execute(_OWN).fetchone()
    own = {"own": row[0] if row else []}
    found: list[Item] = []
    for query in (*_QUERIES, _MEMBERS):
        # Without parameters psycopg leaves a percent sign alone.
        rows = (
            connection.execute(_escaped(query), own)
            if "%(own)s" in query
            else connection.execute(query.encode())
        )
        found += [Item(*values) for values in rows]
    return found


def versions(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """The version of each extension, by the object's name. Raises psycopg.Error."""
    return dict(connection.execute(_VERSIONS).fetchall())


def unseen(connection: psycopg.Connection[Any]) -> list[str]:
    """What this role may not read, in words."""
    return [str(row[0]) for row in connection.execute(_HIDDEN.encode())]


def _escaped(query: str) -> bytes:
    return query.replace("%", "%%").replace("%%(own)s", "%(own)s").encode()
