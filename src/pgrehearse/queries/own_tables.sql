-- Tables that pgrehearse keeps in a database, as they are: schema, name, whether it is there, in words what makes
-- it no ledger, whether this role may write it, its owner. No ledger is what has something in between that could
-- drop, hide, change or lose what is written.
SELECT w.schema, w.name, c.oid IS NOT NULL,
       pg_catalog.array_remove(ARRAY[
           CASE c.relkind WHEN 'r' THEN NULL WHEN 'v' THEN 'is a view' WHEN 'p' THEN 'is partitioned'
               WHEN 'f' THEN 'is a foreign table' WHEN 'm' THEN 'is a materialized view'
               ELSE 'is no table' END,
           CASE c.relpersistence WHEN 'u' THEN 'is UNLOGGED, and empty after a crash' END,
           CASE WHEN c.relrowsecurity THEN 'has row security, which hides rows' END,
           (SELECT 'has the trigger ' || pg_catalog.string_agg(pg_catalog.quote_ident(t.tgname), ', ')
              FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
           (SELECT 'has the rule ' || pg_catalog.string_agg(pg_catalog.quote_ident(r.rulename), ', ')
              FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class = c.oid AND c.relkind = 'r'),
           CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE c.oid IN (i.inhrelid, i.inhparent))
               THEN 'inherits, or is inherited from' END,
           (SELECT 'lacks the column ' || pg_catalog.string_agg(x.name, ', ')
              FROM pg_catalog.unnest(w.columns) AS x (name)
             WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                                WHERE a.attrelid = c.oid AND a.attname = x.name AND NOT a.attisdropped)),
           CASE WHEN NOT EXISTS (
               SELECT FROM pg_catalog.pg_index AS i
                WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                  AND i.indpred IS NULL AND i.indexprs IS NULL
                  AND (SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attname)
                         FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey)) = w.key)
               THEN 'has lost its primary key' END
       ], NULL),
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
       AND pg_catalog.has_table_privilege(c.oid, 'INSERT') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE'),
       pg_catalog.pg_get_userbyid(c.relowner)
  FROM (VALUES {tables}) AS w (schema, name, columns, key)
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
  LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
