-- Which functions return rows of the table? With a list of columns in their text they fail when it gets another one.
WITH found AS (
    SELECT pg_proc.oid::regprocedure::text AS name
    FROM pg_class
    JOIN pg_type ON pg_type.oid = reltype
    JOIN pg_proc ON prorettype IN (pg_type.oid, typarray)
    JOIN pg_language ON pg_language.oid = prolang
    WHERE pg_class.oid = to_regclass(:'table') AND lanname NOT IN ('c', 'internal')
)
SELECT CASE
           WHEN count(*) > 0
               THEN 'stop: these functions return rows of the table; let them SELECT *, and give them in checked: '
                    || string_agg(name, '; ' ORDER BY name)
           ELSE 'ok'
       END AS preflight
FROM found
WHERE name <> ALL (regexp_split_to_array(:'checked', '\s*;\s*'));
