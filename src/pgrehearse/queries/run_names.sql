-- What is there under a name like those that parameters gave: in another case, or in a schema that the search path
-- does not have. A table that was found gives its columns, constraints and indexes, a type its labels: their names
-- are given alone, as they are. Of two parameters that name one table, the second means something else. ``name`` is
-- the value as SQL reads it, below ``schema`` or the search path. Not by to_regtype, which raises for a word of the
-- grammar.
WITH given AS (
    SELECT g.place, g.parameter, g.value, g.used, g.variants, r.oid AS relation, t.oid AS type
      FROM pg_catalog.jsonb_to_recordset({given})
           AS g (place pg_catalog.int4, parameter pg_catalog.text, value pg_catalog.text, schema pg_catalog.text,
                 name pg_catalog.text, used pg_catalog.bool, variants pg_catalog._text)
      LEFT JOIN LATERAL (
          SELECT c.oid FROM pg_catalog.pg_class AS c
           WHERE c.relname OPERATOR(pg_catalog.=) g.name
             AND CASE WHEN g.schema IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
                      ELSE c.relnamespace OPERATOR(pg_catalog.=) (SELECT n.oid FROM pg_catalog.pg_namespace AS n
                                                                   WHERE n.nspname OPERATOR(pg_catalog.=) g.schema) END
      ) AS r ON true
      LEFT JOIN LATERAL (
          SELECT c.oid FROM pg_catalog.pg_type AS c
           WHERE c.typname OPERATOR(pg_catalog.=) g.name
             AND CASE WHEN g.schema IS NULL THEN pg_catalog.pg_type_is_visible(c.oid)
                      ELSE c.typnamespace OPERATOR(pg_catalog.=) (SELECT n.oid FROM pg_catalog.pg_namespace AS n
                                                                   WHERE n.nspname OPERATOR(pg_catalog.=) g.schema) END
      ) AS t ON true
), owner AS (
    SELECT r.oid FROM given AS g JOIN pg_catalog.pg_class AS r ON r.oid OPERATOR(pg_catalog.=) g.relation
     WHERE r.relkind IN ('r', 'p', 'm', 'v', 'f')
), attribute AS (
    SELECT a.attname::pg_catalog.text AS name, a.atttypid AS type
      FROM owner AS o JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) o.oid
     WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
), own AS (
    SELECT 'column' AS kind, a.name FROM attribute AS a
    UNION
    SELECT 'constraint', r.conname::pg_catalog.text
      FROM owner AS o JOIN pg_catalog.pg_constraint AS r ON r.conrelid OPERATOR(pg_catalog.=) o.oid
    UNION
    SELECT 'index', r.relname::pg_catalog.text
      FROM owner AS o JOIN pg_catalog.pg_index AS i ON i.indrelid OPERATOR(pg_catalog.=) o.oid
      JOIN pg_catalog.pg_class AS r ON r.oid OPERATOR(pg_catalog.=) i.indexrelid
    UNION
    SELECT 'value', e.enumlabel::pg_catalog.text
      FROM (SELECT g.type FROM given AS g
            UNION SELECT a.type FROM given AS g JOIN attribute AS a ON a.name OPERATOR(pg_catalog.=) g.value
           ) AS t (type)
      JOIN pg_catalog.pg_enum AS e ON e.enumtypid OPERATOR(pg_catalog.=) t.type
), asked AS (
    SELECT g.* FROM given AS g
     WHERE g.used AND (NOT EXISTS (SELECT FROM owner AS o WHERE o.oid OPERATOR(pg_catalog.=) g.relation)
                       OR EXISTS (SELECT FROM given AS f WHERE f.relation OPERATOR(pg_catalog.=) g.relation
                                                           AND f.place OPERATOR(pg_catalog.<) g.place))
       AND NOT EXISTS (SELECT FROM own AS w WHERE w.name OPERATOR(pg_catalog.=) g.value)
), near AS (
    SELECT g.place, g.parameter, g.value, w.kind, w.name
      FROM asked AS g JOIN own AS w
        ON w.name OPERATOR(pg_catalog.=) ANY (g.variants)
        OR pg_catalog.lower(w.name) OPERATOR(pg_catalog.=) ANY (g.variants)
), elsewhere AS (
    SELECT g.place, g.parameter, g.value, c.kind, c.name
      FROM asked AS g
      JOIN LATERAL (
        SELECT CASE r.relkind WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence'
                              WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type'
                              ELSE 'table' END AS kind,
               pg_catalog.format('%I.%I', n.nspname, r.relname) AS name
          FROM pg_catalog.pg_class AS r
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
         WHERE g.relation IS NULL AND r.relkind OPERATOR(pg_catalog.<>) 't' AND {user_schema}
           AND (r.relname::pg_catalog.text OPERATOR(pg_catalog.=) ANY (g.variants)
                OR pg_catalog.lower(r.relname) OPERATOR(pg_catalog.=) ANY (g.variants))
        UNION ALL
        SELECT 'type', pg_catalog.format('%I.%I', n.nspname, t.typname)
          FROM pg_catalog.pg_type AS t
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
         WHERE g.type IS NULL AND t.typtype IN ('b', 'e', 'd', 'r') AND t.typcategory OPERATOR(pg_catalog.<>) 'A' AND {user_schema}
           AND (t.typname::pg_catalog.text OPERATOR(pg_catalog.=) ANY (g.variants)
                OR pg_catalog.lower(t.typname) OPERATOR(pg_catalog.=) ANY (g.variants))
        UNION ALL
        SELECT 'type', pg_catalog.format_type(t.oid, NULL)
          FROM pg_catalog.pg_type AS t
         WHERE g.type IS NULL AND t.typtype IN ('b', 'r') AND t.typcategory OPERATOR(pg_catalog.<>) 'A'
           AND t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
           AND (t.typname::pg_catalog.text OPERATOR(pg_catalog.=) ANY (g.variants)
                OR pg_catalog.format_type(t.oid, NULL) OPERATOR(pg_catalog.=) ANY (g.variants))
      ) AS c ON c.name OPERATOR(pg_catalog.<>) g.value
     WHERE NOT EXISTS (SELECT FROM near AS f WHERE f.place OPERATOR(pg_catalog.=) g.place)
)
SELECT c.parameter, c.value, c.kind, c.name
  FROM (SELECT * FROM near UNION ALL SELECT * FROM elsewhere) AS c
 ORDER BY c.place, c.kind, c.name
 LIMIT 5
