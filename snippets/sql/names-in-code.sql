-- Which functions that name the table have one of these names in their text, where the table has no such column yet? A variable
-- of the name is ambiguous from then on (42702), and in a function in SQL the name means the column in place of the argument.
CREATE OR REPLACE FUNCTION pg_temp.names_in_code(target regclass, wanted text[]) RETURNS SETOF text
LANGUAGE sql STABLE AS $body$
    SELECT DISTINCT pg_proc.oid::regprocedure::text
    FROM unnest(wanted) AS name
    JOIN pg_class ON pg_class.oid = target
    CROSS JOIN pg_proc
    JOIN pg_language ON pg_language.oid = prolang
    WHERE lanname NOT IN ('c', 'internal')
      AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      AND pronamespace <> pg_my_temp_schema()
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
      AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = name)
      AND prosrc ~* ('(^|\W)' || regexp_replace(name, '(\W)', '\\\1', 'g') || '(\W|$)')
      AND prosrc ~* ('(^|\W)' || regexp_replace(relname, '(\W)', '\\\1', 'g') || '(\W|$)')
$body$;
