-- Does an expression work for a writer with another search path? A function in it that finds something along the path does not.
-- It is the rule or the default of a table like the target, tried on some rows. Restoring a dump has no path either.
CREATE OR REPLACE FUNCTION pg_temp.computes_on_any_path(target regclass, probe regclass) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    question text;
BEGIN
    FOR question IN
        SELECT format('SELECT (%s) IS NULL FROM %s AS %I LIMIT 100', pg_get_expr(conbin, conrelid), target, relname)
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE conrelid = probe AND contype = 'c'
        UNION ALL
        SELECT format('SELECT (%s) IS NULL', pg_get_expr(adbin, adrelid))
        FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        WHERE adrelid = probe AND attgenerated = ''
    LOOP
        EXECUTE question;
    END LOOP;
    RETURN 'ok';
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_schema_name THEN
    RETURN format('stop: a function in the expression finds something along the search path only, so a writer with another path '
                  'would fail; give that function a SET search_path: %s', SQLERRM);
END
$$;
