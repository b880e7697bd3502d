-- Logs DDL that comes past the runner, which is known by its lock. Statements that may hold a password are
-- logged by their kind only.
DROP EVENT TRIGGER IF EXISTS pgrehearse_log_ddl;
DROP EVENT TRIGGER IF EXISTS pgrehearse_log_drop;
CREATE SCHEMA IF NOT EXISTS pgrehearse;
CREATE TABLE IF NOT EXISTS pgrehearse.ddl (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    who text NOT NULL DEFAULT session_user,
    application text NOT NULL,
    address inet,
    tag text NOT NULL,
    objects text NOT NULL,
    statement text NOT NULL
);
COMMENT ON TABLE pgrehearse.ddl IS 'DDL that did not come from pgrehearse db; see pgrehearse db check.';
CREATE OR REPLACE FUNCTION pgrehearse.log_ddl() RETURNS event_trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    names text;
BEGIN
    IF EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = {lock_class}
                  AND objid = {lock_object} AND pid = pg_backend_pid() AND granted) THEN
        RETURN;
    END IF;
    IF TG_EVENT = 'sql_drop' THEN
        IF TG_TAG NOT LIKE 'DROP%' THEN RETURN; END IF;  -- the end of that command is logged
        SELECT string_agg(object_identity, ', ') INTO names FROM pg_event_trigger_dropped_objects()
         WHERE original AND NOT is_temporary;
        IF names IS NULL THEN RETURN; END IF;
    ELSE
        SELECT string_agg(object_identity, ', ') INTO names FROM pg_event_trigger_ddl_commands()
         WHERE schema_name IS DISTINCT FROM 'pg_temp';
        IF names IS NULL AND (TG_TAG LIKE 'DROP%' OR EXISTS (SELECT FROM pg_event_trigger_ddl_commands()
                              WHERE schema_name = 'pg_temp')) THEN RETURN; END IF;
    END IF;
    INSERT INTO pgrehearse.ddl (application, address, tag, objects, statement)
    VALUES (current_setting('application_name'), inet_client_addr(), TG_TAG, coalesce(names, ''),
            CASE WHEN TG_TAG ~ '(USER MAPPING|SUBSCRIPTION|SERVER)$' OR current_query() ~* 'passw|secret|://[^@]*@'
                 THEN TG_TAG ELSE current_query() END);
EXCEPTION WHEN others THEN
    RAISE WARNING 'not logged in pgrehearse.ddl: %', SQLERRM;
END
$body$;
CREATE EVENT TRIGGER pgrehearse_log_ddl ON ddl_command_end EXECUTE FUNCTION pgrehearse.log_ddl();
CREATE EVENT TRIGGER pgrehearse_log_drop ON sql_drop EXECUTE FUNCTION pgrehearse.log_ddl();
