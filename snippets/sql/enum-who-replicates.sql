-- Is a column published that can hold the value, directly, in an array, a domain, a range or a composite type?
WITH RECURSIVE holder AS (
    SELECT :'type'::regtype::oid AS oid
    UNION
    SELECT type.oid
    FROM holder
    JOIN pg_type AS type
        ON type.typbasetype = holder.oid
        OR type.oid = (SELECT typarray FROM pg_type AS element WHERE element.oid = holder.oid)
        OR type.oid IN (SELECT rngtypid FROM pg_range WHERE rngsubtype = holder.oid)
        OR type.oid IN (SELECT rngmultitypid FROM pg_range WHERE rngtypid = holder.oid)
        OR type.typrelid IN (SELECT attrelid FROM pg_attribute
                             WHERE atttypid = holder.oid AND attnum > 0 AND NOT attisdropped)
)
SELECT CASE
           WHEN :'subscribers' <> 'ready' AND count(*) > 0
               THEN 'stop: published by ' || string_agg(DISTINCT quote_ident(pubname), ', ')
                    || '; subscribers get the label as text: prepare each, then give subscribers=ready'
           ELSE 'ok'
       END AS preflight
FROM holder
JOIN pg_attribute ON atttypid = holder.oid AND NOT attisdropped
JOIN pg_class AS class ON class.oid = attrelid AND class.relkind IN ('r', 'p')
JOIN pg_publication_tables
    ON schemaname = relnamespace::regnamespace::name AND tablename = relname AND attname = ANY (attnames);
