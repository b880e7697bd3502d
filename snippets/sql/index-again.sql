-- The statements that make an index again, under a name, with all that hangs on it. They hold with any search path
-- and DateStyle.
CREATE OR REPLACE FUNCTION pg_temp.index_again(wanted oid, new_name text) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET intervalstyle = 'postgres' AS $$
    SELECT jsonb_build_object(
        'space', coalesce(spcname, ''),
        'build', format('CREATE %sINDEX CONCURRENTLY %I ON %s%s', CASE WHEN indisunique THEN 'UNIQUE ' END,
                        new_name, indrelid::regclass, substr(pg_get_indexdef(wanted), 1 + length(
                            format('CREATE %sINDEX %I ON %s', CASE WHEN indisunique THEN 'UNIQUE ' END,
                                   class.relname, indrelid::regclass)))),
        'after', (
            SELECT coalesce(jsonb_agg(statement ORDER BY pos), '[]')
            FROM (
                SELECT attnum, format('ALTER INDEX %s.%I ALTER COLUMN %s SET STATISTICS %s',
                                      relnamespace::regnamespace, new_name, attnum, attstattarget)
                FROM pg_attribute WHERE attrelid = wanted AND attstattarget >= 0
                UNION ALL
                SELECT 1001, format('ALTER TABLE %s CLUSTER ON %I', indrelid::regclass, new_name)
                WHERE indisclustered
                UNION ALL
                SELECT 1002, format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', indrelid::regclass, new_name)
                WHERE indisreplident
                UNION ALL
                SELECT 1003, format('COMMENT ON INDEX %s.%I IS %L', relnamespace::regnamespace, new_name,
                                    obj_description(wanted, 'pg_class'))
                WHERE obj_description(wanted, 'pg_class') IS NOT NULL
            ) AS more (pos, statement)))
    FROM pg_index
    JOIN pg_class AS class ON class.oid = indexrelid
    LEFT JOIN pg_tablespace AS space ON space.oid = reltablespace
    WHERE indexrelid = wanted
$$;
