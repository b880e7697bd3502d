-- Which functions and triggers have the name of the column in their text, where PostgreSQL does not look?
WITH RECURSIVE member AS (
    SELECT to_regclass(:'table')::oid AS relid
    UNION
    SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
), pattern AS (
    SELECT '(^|\W)' || regexp_replace(:'column', '(\W)', '\\\1', 'g') || '(\W|$)' AS of_column,
           '(^|\W)(' || string_agg(regexp_replace(relname, '(\W)', '\\\1', 'g'), '|') || ')(\W|$)' AS of_table
    FROM member JOIN pg_class ON pg_class.oid = relid
), found AS (
    SELECT format('trigger %I on %s', tgname, tgrelid::regclass) AS name
    FROM pg_trigger JOIN member ON tgrelid = relid CROSS JOIN pattern
    WHERE NOT tgisinternal AND replace(encode(tgargs, 'escape'), '\000', E'\n') ~* of_column
    UNION
    SELECT pg_proc.oid::regprocedure::text
    FROM pg_proc JOIN pg_language ON pg_language.oid = prolang CROSS JOIN pattern
    WHERE lanname NOT IN ('c', 'internal')
      AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND pronamespace <> pg_my_temp_schema()
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
                                              AND deptype = 'e')
      -- What keeps two columns in step goes with its runbook.
      AND NOT EXISTS (SELECT FROM member JOIN pg_class ON pg_class.oid = relid
                      WHERE relnamespace = pronamespace
                        AND proname IN (relname || '_' || :'column' || '_sync', relname || '_' || :'column' || '_split'))
      AND prosrc ~* of_column
      AND (prosrc ~* of_table
           OR EXISTS (SELECT FROM pg_trigger JOIN member ON tgrelid = relid WHERE tgfoid = pg_proc.oid))
), unchecked AS (
    SELECT name FROM found WHERE name <> ALL (regexp_split_to_array(:'checked', '\s*;\s*'))
)
SELECT CASE
           WHEN EXISTS (SELECT FROM unchecked)
               THEN 'stop: these have the name of the column in their text; change those that mean it, and give '
                    'the others in checked: ' || (SELECT string_agg(name, '; ' ORDER BY name) FROM unchecked)
           ELSE 'ok'
       END AS preflight;
