-- Memberships as statements: object, subject, statement. Takes: ignored, oids.
-- What lets the role of a check read is no finding of it; who promotes, promote install keeps.
SELECT pg_catalog.format('role %%s', pg_catalog.quote_ident(m.rolname)),
       pg_catalog.format('member of %%s', g.rolname),
       pg_catalog.format('GRANT %%s TO %%s', pg_catalog.quote_ident(g.rolname), pg_catalog.quote_ident(m.rolname))
       || CASE
           -- Its options are columns since 16.
           WHEN pg_catalog.to_jsonb(a) ? 'inherit_option'
           THEN pg_catalog.format(' WITH ADMIN %%s, INHERIT %%s, SET %%s',
                                  pg_catalog.upper(pg_catalog.to_jsonb(a) ->> 'admin_option'),
                                  pg_catalog.upper(pg_catalog.to_jsonb(a) ->> 'inherit_option'),
                                  pg_catalog.upper(pg_catalog.to_jsonb(a) ->> 'set_option'))
           WHEN a.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END
  FROM pg_catalog.pg_auth_members AS a JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid
      JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
 WHERE a.member >= 16384 AND m.rolname <> ALL (%(ignored)s)
   AND (a.member = ANY (%(oids)s) OR a.roleid = ANY (%(oids)s))
   AND NOT {promotion_role}
   AND NOT (m.rolname = session_user AND g.rolname = 'pg_read_all_data')
