-- Which functions give or take rows of these tables by position? They fail with one column more or less, or mix columns up: a
-- copy of OLD.* into an archive, RETURNS TABLE with SELECT *, UNION of SELECT *, ROW (...)::item.
CREATE OR REPLACE FUNCTION pg_temp.rows_by_position(targets oid[]) RETURNS SETOF text
LANGUAGE sql STABLE AS $body$
    WITH RECURSIVE member AS (
        SELECT unnest(targets) AS relid
        UNION
        SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
    ), pattern AS (
        SELECT array_agg(reltype) AS own,
               '(' || string_agg(regexp_replace(relname, '(\W)', '\\\1', 'g'), '|') || ')' AS of_table,
               '(\mselect\s+((all|distinct)\s+)?|[.,]\s*)\*' AS whole,
               '\m(union|intersect|except)\M' AS set_of
        FROM member JOIN pg_class ON pg_class.oid = relid
    )
    SELECT pg_proc.oid::regprocedure::text
    FROM pg_proc
    JOIN pg_language ON pg_language.oid = prolang
    JOIN pg_type ON pg_type.oid = prorettype
    CROSS JOIN pattern
    WHERE lanname NOT IN ('c', 'internal')
      AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND pronamespace <> pg_my_temp_schema()
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
      AND (prosrc ~* ('(^|\W)' || of_table || '(\W|$)')
           OR EXISTS (SELECT FROM pg_trigger JOIN member ON tgrelid = relid WHERE tgfoid = pg_proc.oid))
      AND (prosrc ~* ('\minsert\s+into\M[^;]*' || whole)
           OR prosrc ~* (whole || '[^;]*' || set_of) OR prosrc ~* (set_of || '[^;]*' || whole)
           OR prosrc ~* ('[)'']\s*::\s*([^;:\s]+\.)?"?' || of_table || '(\W|$)')
           OR prosrc ~* ('\mcast\s*\([^;]*[)'']\s*as\s+([^;\s]+\.)?"?' || of_table || '(\W|$)')
           OR prorettype <> ALL (own) AND (typtype = 'c' OR prorettype = 'record'::regtype)
              AND prosrc ~* (CASE lanname WHEN 'sql' THEN '' ELSE '\mreturn\s+query\M[^;]*' END || whole))
$body$;
