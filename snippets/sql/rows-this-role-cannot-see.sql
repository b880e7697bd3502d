-- Does row-level security hide rows of the table, or of its children, from this role?
WITH RECURSIVE member AS (
    SELECT to_regclass(:'table')::oid AS relid
    UNION
    SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
)
SELECT CASE
           WHEN bool_or(row_security_active(relid))
               THEN 'stop: row-level security hides rows of ' || string_agg(relid::regclass::text, ', ')
                    || '; run this as a role with BYPASSRLS, or after NO FORCE ROW LEVEL SECURITY'
           ELSE 'ok'
       END AS preflight
FROM member JOIN pg_class ON pg_class.oid = relid;
