-- Does a row that is to do break a constraint? PostgreSQL refuses every UPDATE of it, whatever it sets. One that is NOT VALID
-- was not looked at; in one that calls a function of yours, the function may have changed since.
-- Constraints of the names in besides, or on columns of such names, are the runbook's own.
CREATE OR REPLACE FUNCTION pg_temp.rows_nobody_can_write(target regclass, todo text, besides text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    rule record;
    found_one boolean;
BEGIN
    FOR rule IN
        WITH RECURSIVE member AS (
            SELECT target::oid AS relid
            UNION
            SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
        )
        SELECT conrelid::regclass AS relation, conname, convalidated,
               CASE contype WHEN 'c' THEN pg_get_expr(conbin, conrelid)
                   ELSE (SELECT format('%I IS NOT NULL', attname) FROM pg_attribute
                         WHERE attrelid = conrelid AND attnum = conkey[1]) END AS condition
        FROM pg_constraint JOIN member ON relid = conrelid
        WHERE contype IN ('c', 'n')
          AND (NOT convalidated OR EXISTS (SELECT FROM pg_depend
                                           WHERE classid = 'pg_constraint'::regclass AND objid = pg_constraint.oid
                                             AND refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)))
          AND NOT besides && (conname::text || ARRAY(SELECT attname::text FROM pg_attribute
                                                     WHERE attrelid = conrelid AND attnum = ANY (conkey)))
          AND pg_get_constraintdef(pg_constraint.oid) NOT LIKE '%NOT ENFORCED'
        ORDER BY relation, conname
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s WHERE NOT (%s) AND (%s))',
                       rule.relation, rule.condition, todo) INTO found_one;
        IF found_one THEN
            RETURN format('stop: rows of %s break %I, %s, and so cannot be written; mend them first', rule.relation, rule.conname,
                          CASE WHEN rule.convalidated THEN 'as its function is now' ELSE 'which is NOT VALID' END);
        END IF;
    END LOOP;
    RETURN 'ok';
END
$$;
