-- Could the server build this index once more? Since 17 a build and ANALYZE look for no name along your search path, so a
-- function in the index may not either. Tried on some of the rows.
CREATE OR REPLACE FUNCTION pg_temp.index_computes(wanted oid) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    question text;
BEGIN
    SELECT format('SELECT CASE WHEN %s THEN ROW (%s) END FROM ONLY %s LIMIT 100',
                  coalesce(pg_get_expr(indpred, indrelid), 'true'), keys.list, indrelid::regclass)
    INTO question
    FROM pg_index
    CROSS JOIN LATERAL (
        SELECT string_agg(pg_get_indexdef(wanted, place, false), ', ') AS list FROM generate_series(1, indnatts) AS place
    ) AS keys
    WHERE indexrelid = wanted AND num_nonnulls(indexprs, indpred) > 0
      AND current_setting('server_version_num')::integer >= 170000;
    IF question IS NOT NULL THEN
        EXECUTE question;
    END IF;
    RETURN 'ok';
EXCEPTION WHEN syntax_error_or_access_rule_violation OR invalid_schema_name THEN
    RETURN format('stop: index %s could not be built again, since a function in it finds something along the search path only; '
                  'give that function a SET search_path: %s', wanted::regclass, SQLERRM);
END
$$;
