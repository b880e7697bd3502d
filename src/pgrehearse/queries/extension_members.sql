-- What an extension brought is not in a dump, so nobody would see that it was changed since:
-- object, subject, statement.
WITH members AS (
    SELECT e.extname, d.classid, d.objid FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
     WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e')
SELECT pg_catalog.format('extension %s', pg_catalog.quote_ident(extname)), pg_catalog.format('member %s',
    i.identity),
       coalesce(m.definition, '') || pg_catalog.format(E'\n-- owned by %s', m.owner)
  FROM (SELECT m.extname, m.classid, m.objid, pg_catalog.pg_get_userbyid(p.proowner) AS owner,
               CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) END AS definition
          FROM members AS m JOIN pg_catalog.pg_proc AS p ON p.oid = m.objid
              WHERE m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
        UNION ALL
        SELECT m.extname, m.classid, m.objid, pg_catalog.pg_get_userbyid(c.relowner),
               pg_catalog.concat(CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
               (SELECT pg_catalog.string_agg(pg_catalog.format(', %I %s %s %s', a.attname,
                   pg_catalog.format_type(a.atttypid, a.atttypmod),
                                         CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                                         pg_catalog.pg_get_expr(f.adbin, f.adrelid)), '' ORDER BY a.attname)
                  FROM pg_catalog.pg_attribute AS a LEFT JOIN pg_catalog.pg_attrdef AS f
                    ON f.adrelid = a.attrelid AND f.adnum = a.attnum
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
               (SELECT pg_catalog.string_agg('; ' || pg_catalog.pg_get_indexdef(x.indexrelid), ''
                                  ORDER BY x.indexrelid::pg_catalog.regclass::pg_catalog.text)
                  FROM pg_catalog.pg_index AS x WHERE x.indrelid = c.oid),
               (SELECT pg_catalog.string_agg('; ' || pg_catalog.pg_get_triggerdef(g.oid), ''
                   ORDER BY g.tgname)
                  FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal))
          FROM members AS m JOIN pg_catalog.pg_class AS c ON c.oid = m.objid
              WHERE m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        UNION ALL
        SELECT m.extname, m.classid, m.objid, pg_catalog.pg_get_userbyid(t.typowner),
               (SELECT pg_catalog.string_agg(n.enumlabel, ', ' ORDER BY n.enumsortorder)
                  FROM pg_catalog.pg_enum AS n WHERE n.enumtypid = t.oid)
          FROM members AS m JOIN pg_catalog.pg_type AS t ON t.oid = m.objid
              WHERE m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
       ) AS m, LATERAL pg_catalog.pg_identify_object(m.classid, m.objid, 0) AS i
