-- Raises an error where a new column of this type is filled at once, which can rewrite the table: a domain with a rule or a
-- default. PostgreSQL decides, on a temporary table of one row.
CREATE OR REPLACE FUNCTION pg_temp.new_column_fits(type text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    file oid;
    filled boolean := true;
BEGIN
    DROP TABLE IF EXISTS pg_temp.new_column_probe;
    CREATE TEMPORARY TABLE new_column_probe AS SELECT 1 AS one;
    file := pg_relation_filenode('pg_temp.new_column_probe');
    BEGIN
        EXECUTE format('ALTER TABLE pg_temp.new_column_probe ADD COLUMN wanted %s', type);
        EXECUTE 'SELECT num_nonnulls(wanted) > 0 FROM pg_temp.new_column_probe' INTO filled;
    EXCEPTION WHEN not_null_violation THEN
        NULL;  -- a domain that is NOT NULL
    END;
    IF filled OR file <> pg_relation_filenode('pg_temp.new_column_probe') THEN
        RAISE EXCEPTION 'stop: % is a domain with a rule or a default, so a new column of it can rewrite the table; '
                        'take the type below it', type;
    END IF;
    DROP TABLE pg_temp.new_column_probe;
END
$$;
