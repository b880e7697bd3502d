-- Is a column published that can hold the value, directly, in an array, a domain, a range or a composite type?
WITH RECURSIVE part (oid, of) AS (
    SELECT typbasetype, oid FROM pg_type
    UNION ALL SELECT oid, typarray FROM pg_type
    UNION ALL SELECT rngsubtype, rngtypid FROM pg_range
    UNION ALL SELECT rngtypid, rngmultitypid FROM pg_range
    UNION ALL SELECT atttypid, reltype FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
              WHERE attnum > 0 AND NOT attisdropped
), holder AS (
    SELECT :'type'::regtype::oid AS oid
    UNION
    SELECT of FROM holder JOIN part USING (oid) WHERE of <> 0
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
