-- What is said of roles, as statements: object, subject, statement. Takes: named, oids.
SELECT pg_catalog.format('role %%s', pg_catalog.quote_ident(r.rolname)), a.subject,
       pg_catalog.format('%%s ROLE %%s%%s', CASE a.subject WHEN 'exists' THEN 'CREATE' ELSE 'ALTER' END,
              pg_catalog.quote_ident(r.rolname), a.sql)
  FROM pg_catalog.pg_roles AS r, LATERAL (VALUES
       ('exists', '', r.rolname = ANY (%(named)s)),
       ('login', ' LOGIN', r.rolcanlogin AND r.rolname = ANY (%(named)s)),
       ('superuser', ' SUPERUSER', r.rolsuper),
       ('bypassrls', ' BYPASSRLS', r.rolbypassrls),
       ('createrole', ' CREATEROLE', r.rolcreaterole),
       ('createdb', ' CREATEDB', r.rolcreatedb),
       ('replication', ' REPLICATION', r.rolreplication),
       ('inherit', ' NOINHERIT', NOT r.rolinherit),
       ('connection limit', pg_catalog.format(' CONNECTION LIMIT %%s', r.rolconnlimit), r.rolconnlimit <> -1),
       ('valid until', pg_catalog.format(' VALID UNTIL %%L', r.rolvaliduntil), r.rolvaliduntil <> 'infinity')
       ) AS a (subject, sql, holds)
 WHERE a.holds AND r.oid = ANY (%(oids)s)
UNION ALL
SELECT pg_catalog.format('role %%s', pg_catalog.quote_ident(r.rolname)), 'comment',
       pg_catalog.format('COMMENT ON ROLE %%s IS %%L', pg_catalog.quote_ident(r.rolname),
           pg_catalog.shobj_description(r.oid, 'pg_authid'))
  FROM pg_catalog.pg_roles AS r WHERE r.oid = ANY (%(oids)s) AND pg_catalog.shobj_description(r.oid,
      'pg_authid') IS NOT NULL
UNION ALL
SELECT pg_catalog.format('role %%s', pg_catalog.quote_ident(r.rolname)), pg_catalog.format('setting %%s',
    pg_catalog.split_part(c, '=', 1)),
       pg_catalog.format('ALTER ROLE %%s SET %%s TO %%L', pg_catalog.quote_ident(r.rolname),
           pg_catalog.split_part(c, '=', 1),
              substring(c FROM position('=' IN c) + 1))
  FROM pg_catalog.pg_db_role_setting AS s JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole,
      pg_catalog.unnest(s.setconfig) AS c
 WHERE s.setdatabase = 0 AND r.oid = ANY (%(oids)s)
UNION ALL
SELECT 'all roles', pg_catalog.format('setting %%s', pg_catalog.split_part(c, '=', 1)),
       pg_catalog.format('ALTER ROLE ALL SET %%s TO %%L', pg_catalog.split_part(c, '=', 1),
              substring(c FROM position('=' IN c) + 1))
  FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.unnest(s.setconfig) AS c WHERE s.setdatabase = 0
      AND s.setrole = 0
UNION ALL
SELECT pg_catalog.format('parameter %%s', p.parname), pg_catalog.format('privileges of %%s',
    coalesce(r.rolname, 'public')),
       pg_catalog.format('GRANT %%s ON PARAMETER %%s TO %%s', a.privilege_type, p.parname,
              coalesce(pg_catalog.quote_ident(r.rolname), 'PUBLIC'))
  FROM pg_catalog.pg_parameter_acl AS p, pg_catalog.aclexplode(p.paracl) AS a LEFT
      JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
 WHERE (a.grantee = 0 OR a.grantee = ANY (%(oids)s))
   AND p.parname <> 'pgrehearse.environment'
