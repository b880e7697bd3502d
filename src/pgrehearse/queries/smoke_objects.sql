-- What a contract has to cover: kind, name, table, schema, definition, problem, mend, oid, comment.
-- Partitions are left out, because their parent speaks for them, and so is what inheritance handed down.
-- Without {defined} there are no definitions: writing one takes ACCESS SHARE on its table.
WITH own_table AS (
    SELECT c.oid, c.relkind, c.oid::pg_catalog.regclass::pg_catalog.text AS name, n.nspname
      FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition AND {application_table}
), own_type AS (
    SELECT t.oid, t.typtype, t.typnotnull, t.oid::pg_catalog.regtype::pg_catalog.text AS name, n.nspname
      FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
     WHERE t.typtype IN ('e', 'd') AND {application_schema} AND NOT {brought_type}
)
SELECT 'constraint', pg_catalog.quote_ident(k.conname), coalesce(t.name, d.name), coalesce(t.nspname,
    d.nspname),
       CASE WHEN {defined} THEN pg_catalog.pg_get_constraintdef(k.oid) END,
       CASE WHEN pg_catalog.to_jsonb(k) ->> 'conenforced' = 'false' THEN 'is NOT ENFORCED'
            WHEN NOT k.convalidated THEN 'is NOT VALID: rows that were there before may break it' END,
       CASE WHEN NOT k.convalidated THEN 'validate it' END,
       k.oid, pg_catalog.obj_description(k.oid, 'pg_constraint')
  FROM pg_catalog.pg_constraint AS k
  LEFT JOIN own_table AS t ON t.oid = k.conrelid
  LEFT JOIN own_type AS d ON d.oid = k.contypid
 WHERE k.contype IN ('c', 'u', 'p', 'f', 'x') AND coalesce(t.oid, d.oid) IS NOT NULL
   AND k.conislocal AND k.conparentid = 0
UNION ALL
SELECT 'not null', t.name || '.' || pg_catalog.quote_ident(a.attname), t.name, t.nspname, 'NOT NULL',
       CASE WHEN v.invalid THEN 'is NOT VALID: rows that were there before may be NULL' END,
       CASE WHEN v.invalid THEN 'validate it' END, NULL, NULL
  FROM pg_catalog.pg_attribute AS a JOIN own_table AS t ON t.oid = a.attrelid
  LEFT JOIN LATERAL (
      SELECT pg_catalog.bool_or(NOT convalidated) AS invalid FROM pg_catalog.pg_constraint
       WHERE conrelid = a.attrelid AND contype = 'n' AND conkey[1] = a.attnum) AS v ON true
 WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND t.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'not null', name, name, nspname, 'NOT NULL', NULL, NULL, NULL, NULL
  FROM own_type WHERE typtype = 'd' AND typnotnull
UNION ALL
SELECT 'index', pg_catalog.quote_ident(c.relname), t.name, t.nspname, CASE WHEN {defined} THEN pg_catalog.pg_get_indexdef(c.oid) END,
       CASE WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'is INVALID: no query uses it' END,
       'see the runbook index-repair', c.oid, pg_catalog.obj_description(c.oid, 'pg_class')
  FROM pg_catalog.pg_index AS i JOIN own_table AS t ON t.oid = i.indrelid
      JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
UNION ALL
SELECT 'label', e.enumlabel, t.name, t.nspname, 'label', NULL, NULL, t.oid, NULL
  FROM pg_catalog.pg_enum AS e JOIN own_type AS t ON t.oid = e.enumtypid
UNION ALL
SELECT 'default', t.name || '.' || pg_catalog.quote_ident(a.attname), t.name, t.nspname,
       CASE WHEN a.attidentity <> '' THEN 'identity' WHEN a.attgenerated <> '' THEN 'generated'
            ELSE pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
       NULL, pg_catalog.format_type(a.atttypid, a.atttypmod), NULL, NULL
  FROM pg_catalog.pg_attribute AS a JOIN own_table AS t ON t.oid = a.attrelid
  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE (d.oid IS NOT NULL OR a.attidentity <> '') AND NOT a.attisdropped AND a.attislocal
UNION ALL
SELECT 'trigger', pg_catalog.quote_ident(g.tgname), t.name, t.nspname, CASE WHEN {defined} THEN pg_catalog.pg_get_triggerdef(g.oid) END,
       CASE g.tgenabled WHEN 'D' THEN 'is disabled' WHEN 'R' THEN 'fires on replicas only' END,
       pg_catalog.format('ALTER TABLE %s ENABLE TRIGGER %I', t.name, g.tgname), g.oid,
       pg_catalog.obj_description(g.oid, 'pg_trigger')
  FROM pg_catalog.pg_trigger AS g JOIN own_table AS t ON t.oid = g.tgrelid
 WHERE NOT g.tgisinternal AND g.tgparentid = 0
