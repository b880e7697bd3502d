-- What the relations are that parameters gave, where a runbook may not have meant that: no table, of another role, in a
-- schema or with rows that this role may not use. Nothing for a table that is there and its own.
SELECT g.parameter, g.value,
       pg_catalog.concat_ws('; ',
           CASE r.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
                          WHEN 'S' THEN 'a sequence' WHEN 'c' THEN 'a composite type' WHEN 't' THEN 'a TOAST table'
                          WHEN 'i' THEN pg_catalog.concat('an index of ', o.relname)
                          WHEN 'I' THEN pg_catalog.concat('a partitioned index of ', o.relname) END,
           CASE WHEN NOT pg_catalog.pg_has_role(r.relowner, 'USAGE')
               THEN pg_catalog.format('its owner is %I, and %I is no member of that role', pg_catalog.pg_get_userbyid(r.relowner),
                                      CURRENT_USER) END,
           CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
               THEN pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I is missing; the owner of the schema is %I', n.nspname,
                                      CURRENT_USER, pg_catalog.pg_get_userbyid(n.nspowner)) END,
           CASE WHEN r.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT pg_catalog.has_any_column_privilege(r.oid, 'SELECT')
               THEN pg_catalog.format('%I may not read it', CURRENT_USER) END)
  FROM pg_catalog.jsonb_to_recordset({given})
       AS g (place pg_catalog.int4, parameter pg_catalog.text, value pg_catalog.text, schema pg_catalog.text,
             name pg_catalog.text, used pg_catalog.bool)
  JOIN pg_catalog.pg_class AS r ON r.relname OPERATOR(pg_catalog.=) g.name
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
   AND CASE WHEN g.schema IS NULL THEN pg_catalog.pg_table_is_visible(r.oid)
            ELSE n.nspname OPERATOR(pg_catalog.=) g.schema END
  LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) r.oid
  LEFT JOIN pg_catalog.pg_class AS o ON o.oid OPERATOR(pg_catalog.=) i.indrelid
 WHERE g.used
 ORDER BY g.place
