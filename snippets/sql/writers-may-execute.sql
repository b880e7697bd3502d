-- May everybody who writes rows of the table use what an expression calls? A default, a CHECK, an index and a trigger work
-- with the rights of who writes, also where he writes through a view or a rule.
-- In a trigger the text is read anew as well: whoever may not use a schema finds nothing there.
CREATE OR REPLACE FUNCTION pg_temp.writers_may(target regclass, catalog regclass, expression oid, read_anew boolean) RETURNS text
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE member AS (
        SELECT target::oid AS relid
        UNION
        SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
    ), way AS (
        SELECT relid, false AS aside FROM member
        UNION
        SELECT ev_class, true
        FROM way
        JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = relid AND classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite ON pg_rewrite.oid = objid
        WHERE ev_class <> relid AND (ev_type <> '1' OR pg_relation_is_updatable(ev_class, false) & 12 <> 0)
    ), writer AS (
        SELECT grantee AS role
        FROM way
        JOIN pg_class ON oid = relid
        CROSS JOIN LATERAL (
            SELECT * FROM aclexplode(coalesce(relacl, acldefault('r', relowner)))
            UNION ALL
            SELECT given.* FROM pg_attribute CROSS JOIN LATERAL aclexplode(attacl) AS given WHERE attrelid = relid
        ) AS granted
        WHERE privilege_type IN ('INSERT', 'UPDATE') OR aside AND privilege_type = 'DELETE'
        UNION
        SELECT oid FROM pg_roles
        WHERE pg_has_role(oid, 'pg_write_all_data', 'USAGE') AND NOT rolsuper AND rolname <> 'pg_write_all_data'
    ), used AS (
        SELECT refclassid, refobjid, true AS named FROM pg_depend WHERE classid = catalog AND objid = expression
        UNION
        -- What operators, functions with a body that PostgreSQL has read and the rules of a domain call in their turn.
        SELECT next.refclassid, next.refobjid, false
        FROM used
        LEFT JOIN pg_proc ON used.refclassid = 'pg_proc'::regclass AND pg_proc.oid = used.refobjid
        LEFT JOIN pg_type ON used.refclassid = 'pg_type'::regclass AND pg_type.oid = used.refobjid AND typtype = 'd'
        LEFT JOIN pg_constraint ON contypid = pg_type.oid
        JOIN pg_depend AS next
            ON next.classid = used.refclassid AND next.objid = used.refobjid
               AND (used.refclassid = 'pg_operator'::regclass OR NOT prosecdef OR typtype = 'd')
            OR next.classid = 'pg_constraint'::regclass AND next.objid = pg_constraint.oid
    ), missing AS (
        SELECT role, format('EXECUTE ON FUNCTION %s', oid::regprocedure) AS words
        FROM writer, used JOIN pg_proc ON oid = refobjid
        WHERE refclassid = 'pg_proc'::regclass AND NOT has_function_privilege(role, oid, 'EXECUTE')
        UNION
        SELECT role, format('SELECT ON TABLE %s', oid::regclass)
        FROM writer, used JOIN pg_class ON oid = refobjid
        WHERE refclassid = 'pg_class'::regclass AND relkind IN ('r', 'p', 'v', 'm', 'f')
          AND relnamespace <> pg_my_temp_schema() AND oid NOT IN (SELECT relid FROM member)
          AND NOT has_any_column_privilege(role, oid, 'SELECT')
        UNION
        SELECT role, format('USAGE ON SCHEMA %s', home::regnamespace)
        FROM writer, used
        CROSS JOIN LATERAL (
            SELECT pronamespace FROM pg_proc WHERE refclassid = 'pg_proc'::regclass AND oid = refobjid
            UNION ALL
            SELECT oprnamespace FROM pg_operator WHERE refclassid = 'pg_operator'::regclass AND oid = refobjid
            UNION ALL
            SELECT typnamespace FROM pg_type WHERE refclassid = 'pg_type'::regclass AND oid = refobjid
            UNION ALL
            SELECT relnamespace FROM pg_class
            WHERE refclassid = 'pg_class'::regclass AND oid = refobjid AND oid NOT IN (SELECT relid FROM member)
        ) AS place (home)
        WHERE read_anew AND named AND NOT has_schema_privilege(role, home, 'USAGE')
    )
    SELECT coalesce('stop: roles that write rows may not use what the expression does, and would fail with 42501: ' || string_agg(
               format('GRANT %s TO %s', words, CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END), '; '
               ORDER BY words, role), 'ok')
    FROM missing
$$;
