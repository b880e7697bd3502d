-- Does a table hold the type of which this role does not see every row? Then Roll back cannot tell whether a value is used.
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
