-- What the tables of the application are held together by: table, kind and name of each constraint, index, trigger,
-- rule and policy; and each table with nothing, so that what is there can be told. Left out is what pg_dump makes again under names of its own or not at all: what partitions have
-- of their parent, and INVALID indexes.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), d.kind, d.name::pg_catalog.text
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN (SELECT w.oid, '' AS kind, ''::pg_catalog.name AS name FROM pg_catalog.pg_class AS w
        UNION ALL
        SELECT k.conrelid, 'constraint', k.conname FROM pg_catalog.pg_constraint AS k
         WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0
        UNION ALL
        SELECT i.indrelid, 'index', x.relname
          FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
         WHERE i.indisvalid AND NOT x.relispartition
        UNION ALL
        SELECT g.tgrelid, 'trigger', g.tgname FROM pg_catalog.pg_trigger AS g
         WHERE NOT g.tgisinternal AND g.tgparentid = 0
        UNION ALL
        SELECT r.ev_class, 'rule', r.rulename FROM pg_catalog.pg_rewrite AS r WHERE r.rulename <> '_RETURN'
        UNION ALL
        SELECT p.polrelid, 'policy', p.polname FROM pg_catalog.pg_policy AS p) AS d ON d.oid = c.oid
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND {application_table}
