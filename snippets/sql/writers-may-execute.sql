-- May everybody who writes rows of the table use what an expression calls? A default, a CHECK, an index and a trigger work
-- with the rights of who writes. In a trigger the text is read anew as well: whoever may not use a schema finds nothing there.
CREATE OR REPLACE FUNCTION pg_temp.writers_may(target regclass, catalog regclass, expression oid, read_anew boolean) RETURNS text
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE member AS (
        SELECT target::oid AS relid
        UNION
        SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
    ), privilege AS (
        SELECT grantee AS role, privilege_type AS kind
        FROM pg_class JOIN member ON oid = relid CROSS JOIN LATERAL aclexplode(coalesce(relacl, acldefault('r', relowner)))
        UNION
        SELECT grantee, privilege_type FROM pg_attribute JOIN member ON attrelid = relid CROSS JOIN LATERAL aclexplode(attacl)
    ), used AS (
        SELECT refclassid, refobjid FROM pg_depend WHERE classid = catalog AND objid = expression
    ), called AS (
        SELECT oid, pronamespace AS home FROM used JOIN pg_proc ON oid = refobjid WHERE refclassid = 'pg_proc'::regclass
        UNION
        SELECT oprcode, oprnamespace FROM used JOIN pg_operator ON oid = refobjid WHERE refclassid = 'pg_operator'::regclass
    ), named AS (
        SELECT home FROM called
        UNION
        SELECT typnamespace FROM used JOIN pg_type ON oid = refobjid WHERE refclassid = 'pg_type'::regclass
    ), missing AS (
        SELECT role, format('EXECUTE ON FUNCTION %s', oid::regprocedure) AS words FROM privilege, called
        WHERE kind IN ('INSERT', 'UPDATE') AND NOT has_function_privilege(role, oid, 'EXECUTE')
        UNION
        SELECT role, format('USAGE ON SCHEMA %s', home::regnamespace) FROM privilege, named
        WHERE kind IN ('INSERT', 'UPDATE') AND read_anew AND NOT has_schema_privilege(role, home, 'USAGE')
    )
    SELECT coalesce('stop: roles that write rows may not use what the expression does, and would fail with 42501: ' || string_agg(
               format('GRANT %s TO %s', words, CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END), '; '
               ORDER BY words, role), 'ok')
    FROM missing
$$;
