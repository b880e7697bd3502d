-- Tables that the status of a database is read from, are there, and may not be read by this role.
SELECT n.nspname || '.' || c.relname
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE (n.nspname IN ('pgrehearse', 'pgrehearse_promotion') OR (n.nspname = 'public' AND c.relname = 'schema_migrations'))
   AND c.relkind IN ('r', 'v')
   AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))
 ORDER BY 1
