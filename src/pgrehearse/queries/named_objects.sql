-- Constraints, and indexes that belong to none: oid, kind, owner, name, comment, whether of a domain, and whether they
-- follow a parent table: then they are explained there.
SELECT k.oid::bigint, 'CONSTRAINT',
       CASE n.nspname WHEN 'public' THEN '' ELSE pg_catalog.quote_ident(n.nspname) || '.' END
           || pg_catalog.quote_ident(coalesce(c.relname, t.typname)), k.conname,
       pg_catalog.obj_description(k.oid, 'pg_constraint'), k.contypid <> 0,
       k.conparentid <> 0 OR k.coninhcount > 0
  FROM pg_catalog.pg_constraint AS k
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
 WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')
   AND CASE WHEN c.oid IS NULL THEN {application_schema} AND NOT {brought_type} ELSE {application_table} END
UNION ALL
SELECT x.oid::bigint, 'INDEX',
       CASE n.nspname WHEN 'public' THEN '' ELSE pg_catalog.quote_ident(n.nspname) || '.' END
           || pg_catalog.quote_ident(c.relname), x.relname,
       pg_catalog.obj_description(x.oid, 'pg_class'), false, x.relispartition
  FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
                     WHERE k.conindid = x.oid AND k.contype IN ('p', 'u', 'x'))
   AND {application_table}
