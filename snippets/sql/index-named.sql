-- Which index the name means: the first on the search path that is there, or that a receipt says was dropped there.
-- So a second run does not take another schema's index of the same name.
CREATE OR REPLACE FUNCTION pg_temp.index_named(
    wanted text, OUT relation oid, OUT index oid, OUT name text, OUT receipt jsonb
) LANGUAGE sql STABLE AS $$
    WITH given AS (
        SELECT parts[cardinality(parts)] AS last,
               CASE WHEN cardinality(parts) > 1 THEN parts[1:1]::name[] ELSE current_schemas(true) END AS homes
        FROM parse_ident(wanted) AS parts
    )
    SELECT class.oid, own.indexrelid, last, kept.receipt
    FROM given
    CROSS JOIN unnest(homes) WITH ORDINALITY AS home (name, pos)
    JOIN pg_namespace ON nspname = home.name
    JOIN pg_class AS class ON class.relnamespace = pg_namespace.oid
    LEFT JOIN (pg_index AS own JOIN pg_class AS own_class ON own_class.oid = own.indexrelid)
        ON own.indrelid = class.oid AND own_class.relname = last
    CROSS JOIN LATERAL (
        SELECT pg_temp.receipt('pg_class', class.oid, 'index-drop ' || last)
    ) AS kept (receipt)
    WHERE class.relkind IN ('r', 'm', 'p', 't') AND (own.indexrelid IS NOT NULL OR kept.receipt IS NOT NULL)
    ORDER BY pos, own.indexrelid
    LIMIT 1
$$;
