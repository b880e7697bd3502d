-- What fails or says something else when the table gets one more column: functions that return its rows with a list of
-- columns in their text or copy them by position, CHECKs, indexes and policies that look at the whole row, and foreign
-- tables below it, which get the column here and not on their server.
WITH RECURSIVE member AS (
    SELECT to_regclass(:'table')::oid AS relid
    UNION
    SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
), owner AS (
    SELECT pg_class.oid, relkind, reltype, quote_ident(relname) || '.*' AS whole FROM member JOIN pg_class ON pg_class.oid = relid
), found AS (
    SELECT pg_proc.oid::regprocedure::text AS name
    FROM owner
    JOIN pg_type ON pg_type.oid = reltype
    JOIN pg_proc ON prorettype IN (pg_type.oid, typarray)
    JOIN pg_language ON pg_language.oid = prolang
    WHERE lanname NOT IN ('c', 'internal')
    UNION
    SELECT pg_temp.rows_by_position(ARRAY[to_regclass(:'table')::oid])
    UNION
    SELECT format('foreign table %s', owner.oid::regclass) FROM owner WHERE relkind = 'f'
    UNION
    SELECT format('CHECK %I of %s', conname, conrelid::regclass)
    FROM owner JOIN pg_constraint ON conrelid = owner.oid WHERE contype = 'c' AND 0 = ANY (conkey)
    UNION
    SELECT format('index %s', indexrelid::regclass)
    FROM owner JOIN pg_index ON indrelid = owner.oid
    WHERE strpos(concat(pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid)), whole) > 0
    UNION
    SELECT format('policy %I of %s', polname, polrelid::regclass)
    FROM owner JOIN pg_policy ON polrelid = owner.oid
    WHERE strpos(concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), whole) > 0
)
SELECT CASE
           WHEN count(*) > 0
               THEN 'stop: the table gets one more column, and these return its rows, copy them by position, look at the whole row or get '
                    'it from another server; let functions that return its rows SELECT *, name the columns in the others, add the column '
                    'on the other server, and give what may stay in checked: ' || string_agg(name, '; ' ORDER BY name)
           ELSE 'ok'
       END AS preflight
FROM found
WHERE name <> ALL (regexp_split_to_array(:'checked', '\s*;\s*'));
