-- Relations of these names as they are: what could drop, hide, change or lose what is written into them is told by
-- own_tables.py. Asked of every database before every migration, in a process that knows no catalog yet: so each
-- is read once, and plainly. A type from 16384 on is somebody's own, and so may be what casts and compares it.
SELECT n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity,
       CASE WHEN c.relhastriggers THEN ARRAY(
           SELECT pg_catalog.quote_ident(t.tgname) FROM pg_catalog.pg_trigger AS t
            WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) END,
       CASE WHEN c.relhasrules THEN ARRAY(
           SELECT pg_catalog.quote_ident(r.rulename) FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class = c.oid) END,
       EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE c.oid IN (i.inhrelid, i.inhparent)),
       ARRAY(SELECT CASE WHEN NOT a.attisdropped THEN a.attname END FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum),
       ARRAY(SELECT i.indkey::pg_catalog.text FROM pg_catalog.pg_index AS i
              WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
                AND i.indpred IS NULL AND i.indexprs IS NULL),
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
       AND pg_catalog.has_table_privilege(c.oid, 'INSERT') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE'),
       pg_catalog.pg_get_userbyid(c.relowner),
       ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384)
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ({schemas}) AND c.relname = ANY ({tables})
