-- Sequences that feed a column, with what reads the column's largest value.
SELECT pg_catalog.format('%s.%s', sn.nspname, s.relname),
       pg_catalog.format('SELECT s.last_value, (SELECT pg_catalog.max(%I) FROM %I.%I) FROM %I.%I AS s',
                         a.attname, tn.nspname, t.relname, sn.nspname, s.relname)
  FROM pg_catalog.pg_class AS s
  JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.relnamespace
  JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.oid AND q.seqincrement > 0 AND NOT q.seqcycle
  JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = s.oid
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
  JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p')
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
       AND a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype, 'int8'::pg_catalog.regtype)
 WHERE s.relkind = 'S' AND s.relpersistence = 'p'
   AND sn.nspname !~ '^pg_' AND sn.nspname NOT IN ('information_schema', 'pgrehearse', 'pgrehearse_promotion')
   AND CASE WHEN s.relkind = 'S' THEN pg_catalog.has_sequence_privilege(s.oid, 'SELECT') END
   AND pg_catalog.has_table_privilege(t.oid, 'SELECT')
 ORDER BY 1
