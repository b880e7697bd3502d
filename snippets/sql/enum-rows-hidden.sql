-- Does a table hold the type of which this role does not see every row? Then Roll back cannot tell whether a value is used.
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
           WHEN :'way_back' <> 'none' AND count(*) > 0
               THEN 'stop: this role does not see every row of ' || string_agg(DISTINCT class.oid::regclass::text, ', ')
                    || ', so Roll back would stop; run this as one that does, or give way_back=none'
           ELSE 'ok'
       END AS preflight
FROM holder
JOIN pg_attribute ON atttypid = holder.oid AND NOT attisdropped
JOIN pg_class AS class ON class.oid = attrelid
WHERE class.relkind IN ('r', 'm', 'f')
  AND (class.relpersistence <> 't' OR class.relnamespace = pg_my_temp_schema())
  AND (row_security_active(class.oid) OR NOT has_column_privilege(class.oid, attname, 'SELECT'));
