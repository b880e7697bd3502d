-- PostgreSQL writes the wanted index in its own words, on a temporary table of the same columns with some of the rows:
-- since 17 a build looks for no name along your search path, so a function in the index may not either.
-- Condition and storage parameters are those of the old index unless they are given.
CREATE OR REPLACE FUNCTION pg_temp.index_terms(wanted oid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT substr(pg_get_indexdef(wanted), 1 + length(
        format('CREATE %sINDEX %I ON %s%I.%I', CASE WHEN indisunique THEN 'UNIQUE ' END, class.relname,
               CASE WHEN class.relkind = 'I' THEN 'ONLY ' END,
               CASE home.oid WHEN pg_my_temp_schema() THEN 'pg_temp' ELSE nspname END, owner.relname)))
    FROM pg_index
    JOIN pg_class AS class ON class.oid = indexrelid
    JOIN pg_class AS owner ON owner.oid = indrelid
    JOIN pg_namespace AS home ON home.oid = owner.relnamespace
    WHERE indexrelid = wanted
$$;
DROP TABLE IF EXISTS pg_temp.index_probe;
SELECT format('CREATE TEMPORARY TABLE index_probe (LIKE %s INCLUDING GENERATED)', relation),
       -- A NOT NULL that is NOT VALID lets rows stand that the temporary table would refuse.
       (SELECT format('ALTER TABLE pg_temp.index_probe %s', string_agg(format('ALTER %I DROP NOT NULL', attname), ', '))
        FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
        WHERE conrelid = relation AND contype = 'n' AND NOT convalidated HAVING count(*) > 0),
       CASE WHEN (SELECT relispopulated FROM pg_class WHERE oid = relation) THEN
           format('INSERT INTO pg_temp.index_probe (%1$s) SELECT %1$s FROM %2$s LIMIT 100', (
               SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
               WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attgenerated = ''), relation) END,
       format('CREATE INDEX index_wanted ON pg_temp.index_probe USING %s (%s)%s%s%s', :'method', keys.list,
              ' INCLUDE (' || nullif(:'include', '') || ')',
              ' WITH (' || coalesce(nullif(:'storage', ''), kept.storage) || ')',
              ' WHERE ' || nullif(coalesce(nullif(:'condition', ''), kept.condition), 'true'))
FROM (SELECT :'table'::regclass) AS wanted (relation)
CROSS JOIN LATERAL (
    SELECT CASE WHEN count(attname) = count(*) THEN string_agg(quote_ident(attname), ', ' ORDER BY pos)
                ELSE :'columns' END AS list
    FROM string_to_table(:'columns', ',') WITH ORDINALITY AS part (name, pos)
    LEFT JOIN pg_attribute ON attrelid = relation AND attname = btrim(name)
                          AND attnum > 0 AND NOT attisdropped
) AS keys
LEFT JOIN LATERAL (
    SELECT pg_get_expr(indpred, indrelid), array_to_string(reloptions, ', ')
    FROM pg_index JOIN pg_class ON oid = indexrelid AND relname = :'index'
    WHERE indrelid = relation
    UNION ALL
    SELECT receipt ->> 'condition', receipt ->> 'storage'
    FROM pg_temp.receipt('pg_class', relation, 'index-replace ' || :'index') AS own (receipt)
    LIMIT 1
) AS kept (condition, storage) ON true
\gexec
