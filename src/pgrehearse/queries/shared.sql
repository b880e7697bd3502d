-- What the databases of a server have in common: kind, name, value. Takes: made (databases of ours), others
-- (a pattern of what other runs make at the same time).
SELECT 'role' AS kind, r.rolname::pg_catalog.text AS name, pg_catalog.md5(ROW (r.*)::pg_catalog.text) AS value
  FROM pg_catalog.pg_roles AS r WHERE r.rolname !~ %(others)s
UNION ALL
SELECT 'membership', pg_catalog.format('%%s in %%s', m.member::pg_catalog.regrole, m.roleid::pg_catalog.regrole),
       pg_catalog.md5(ROW (m.*)::pg_catalog.text)
  FROM pg_catalog.pg_auth_members AS m
UNION ALL
SELECT 'settings of', pg_catalog.concat_ws(' in ',
           CASE WHEN s.setrole = 0 THEN 'all roles' ELSE s.setrole::pg_catalog.regrole::pg_catalog.text END,
           CASE WHEN s.setdatabase = 0 THEN 'all databases' ELSE d.datname END),
       s.setconfig::pg_catalog.text
  FROM pg_catalog.pg_db_role_setting AS s LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
 WHERE s.setdatabase = 0 OR d.datname <> ALL (%(made)s) AND d.datname !~ %(others)s
UNION ALL
SELECT 'database', d.datname,
       pg_catalog.concat_ws(',', d.datdba, d.encoding, d.datistemplate, d.datallowconn, d.datconnlimit,
                            d.dattablespace, d.datacl)
  FROM pg_catalog.pg_database AS d WHERE d.datname <> ALL (%(made)s) AND d.datname !~ %(others)s
UNION ALL
SELECT 'template', d.datname, ''
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = ANY (%(made)s) AND d.datname ~ '_template_[0-9]+$' AND d.datallowconn
UNION ALL
SELECT 'tablespace', t.spcname, pg_catalog.md5(ROW (t.*)::pg_catalog.text) FROM pg_catalog.pg_tablespace AS t
UNION ALL
SELECT 'comment on', COALESCE(d.datname, r.rolname, c.objoid::pg_catalog.text), c.description
  FROM pg_catalog.pg_shdescription AS c
       LEFT JOIN pg_catalog.pg_database AS d
              ON d.oid = c.objoid AND c.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass
       LEFT JOIN pg_catalog.pg_roles AS r
              ON r.oid = c.objoid AND c.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass
 WHERE d.datname IS NULL OR d.datname <> ALL (%(made)s) AND d.datname !~ %(others)s
UNION ALL
SELECT 'security label on', l.objoid::pg_catalog.text, ROW (l.*)::pg_catalog.text FROM pg_catalog.pg_shseclabel AS l
UNION ALL
SELECT 'rights on parameter', p.parname, pg_catalog.concat_ws(',', a.grantee, a.privilege_type, a.is_grantable)
  FROM pg_catalog.pg_parameter_acl AS p CROSS JOIN pg_catalog.aclexplode(p.paracl) AS a
       LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
 WHERE a.grantee <> a.grantor AND COALESCE(r.rolname !~ %(others)s, true)
UNION ALL
SELECT 'replication slot', s.slot_name, s.plugin FROM pg_catalog.pg_replication_slots AS s
UNION ALL
SELECT 'replication origin', o.roname, '' FROM pg_catalog.pg_replication_origin AS o
UNION ALL
SELECT 'prepared transaction', x.gid, '' FROM pg_catalog.pg_prepared_xacts AS x
