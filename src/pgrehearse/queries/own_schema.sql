-- The schema of what pgrehearse keeps in a database. IF NOT EXISTS would ask for CREATE on the database even
-- where it is there.
DO $body$
BEGIN
    IF pg_catalog.to_regnamespace('pgrehearse') IS NULL THEN
        CREATE SCHEMA pgrehearse;
        COMMENT ON SCHEMA pgrehearse IS 'What was done to this database; written by pgrehearse db and run.';
    END IF;
END
$body$
