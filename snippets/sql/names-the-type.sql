-- Which functions have the name of the column's type in their text? Open sessions keep it as they first read it.
WITH type AS (
    SELECT pg_type.oid, attrelid,
           '(^|\W)' || regexp_replace(typname, '(\W)', '\\\1', 'g') || '(\W|$)' AS of_type,
           '(^|\W)' || regexp_replace(attname, '(\W)', '\\\1', 'g') || '"?\s*%\s*type' AS of_column
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid AND typtype = 'e'
    WHERE attrelid = to_regclass(:'table') AND attname = :'column'
), found AS (
    SELECT pg_proc.oid::regprocedure::text AS name
    FROM type, pg_proc JOIN pg_language ON pg_language.oid = prolang
    WHERE lanname NOT IN ('c', 'internal')
      AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND pronamespace <> pg_my_temp_schema() AND NOT pg_is_other_temp_schema(pronamespace)
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
                                              AND deptype = 'e')
      -- What keeps two columns in step goes with its runbook.
      AND NOT EXISTS (SELECT FROM pg_class WHERE pg_class.oid = attrelid AND relnamespace = pronamespace
                                             AND proname = relname || '_' || :'column' || '_sync')
      AND (prosrc ~* of_type OR prosrc ~* of_column)
), unchecked AS (
    SELECT name FROM found WHERE name <> ALL (regexp_split_to_array(:'checked', '\s*;\s*'))
)
SELECT CASE
           WHEN EXISTS (SELECT FROM unchecked)
               THEN 'stop: these have the name of the type in their text; change those that mean it, and give '
                    'the others in checked: ' || (SELECT string_agg(name, '; ' ORDER BY name) FROM unchecked)
           ELSE 'ok'
       END AS preflight;
