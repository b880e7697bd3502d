-- What runbooks make for the time between their steps: triggers that keep two columns in step, by the name that
-- they have there, and the columns beside them. What it is, what is wrong with it, and whose runbook it is.
WITH helper AS (
    SELECT g.tgrelid, g.tgname::pg_catalog.text AS name, c.oid::pg_catalog.regclass::pg_catalog.text AS tablename,
           substring(g.tgname FROM '^zz_(.*)_(?:sync|split)$') AS columnname, g.tgname ~ '_split$' AS splits
      FROM pg_catalog.pg_trigger AS g JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_proc AS p ON p.oid = g.tgfoid
     WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgname ~ '^zz_.*_(sync|split)$'
       AND p.proname ~ '_(sync|split)$' AND {application_table}
)
SELECT pg_catalog.format('trigger %I on %s', h.name, h.tablename), 'still keeps columns in step',
       CASE WHEN h.splits THEN 'column-split' ELSE 'column-change-type, enum-to-lookup-table or key-bigint' END
  FROM helper AS h
UNION ALL
SELECT pg_catalog.format('column %s.%I', h.tablename, a.attname), 'is there for the time of a change',
       CASE WHEN h.splits THEN 'column-split' ELSE 'column-change-type, enum-to-lookup-table or key-bigint' END
  FROM helper AS h JOIN pg_catalog.pg_attribute AS a ON a.attrelid = h.tgrelid
 WHERE a.attname IN (h.columnname || '_new', h.columnname || '_old') AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY 1
