-- What is there under a name like those that parameters gave: in another case, or in a schema that the search path
-- does not have. A table that was found gives its columns.
WITH given AS (
    SELECT g.parameter, g.value, pg_catalog.to_regclass(g.value) AS found, (pg_catalog.parse_ident(g.value))[
               pg_catalog.cardinality(pg_catalog.parse_ident(g.value))] AS last
      FROM pg_catalog.jsonb_to_recordset({given}) AS g (parameter pg_catalog.text, value pg_catalog.text)
)
SELECT g.parameter, g.value, c.kind, c.name
  FROM given AS g
  JOIN LATERAL (
    SELECT 'relation' AS kind, pg_catalog.format('%I.%I', n.nspname, r.relname) AS name
      FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
     WHERE g.found IS NULL AND pg_catalog.lower(r.relname) OPERATOR(pg_catalog.=) pg_catalog.lower(g.last)
       AND r.relkind OPERATOR(pg_catalog.<>) 't' AND {user_schema}
    UNION ALL
    SELECT 'column', a.attname::pg_catalog.text
      FROM given AS t JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) t.found
     WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
       AND pg_catalog.lower(a.attname) OPERATOR(pg_catalog.=) pg_catalog.lower(g.last)
       AND NOT EXISTS (SELECT FROM given AS o JOIN pg_catalog.pg_attribute AS e
                           ON e.attrelid OPERATOR(pg_catalog.=) o.found
                        WHERE e.attname OPERATOR(pg_catalog.=) g.value)
  ) AS c ON c.name OPERATOR(pg_catalog.<>) g.value
 ORDER BY g.parameter, c.name
 LIMIT 5
