-- Tables of the application that keep rows of their own, with the rows that statistics know of.
SELECT pg_catalog.format('%s.%s', n.nspname, c.relname),
       pg_catalog.format('%I.%I', n.nspname, c.relname),
       coalesce(s.n_live_tup, 0)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_user_tables AS s ON s.relid = c.oid
 WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND {application_table}
       AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
 ORDER BY 1
