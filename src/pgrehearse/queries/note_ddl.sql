-- An event trigger that notes each command of the session, and the functions it stands in, in a setting: what
-- is rolled back takes its note with it. English, as whoever reads the notes expects.
CREATE FUNCTION pg_catalog.pgrehearse_note() RETURNS pg_catalog.event_trigger LANGUAGE plpgsql
SECURITY DEFINER SET lc_messages = 'C' AS $note$
DECLARE
  within pg_catalog.text;
BEGIN
  GET DIAGNOSTICS within = PG_CONTEXT;
  within := pg_catalog.concat((SELECT setting FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'), pg_catalog.chr(31), within);
  PERFORM pg_catalog.set_config('pgrehearse.noted', pg_catalog.concat(
    pg_catalog.current_setting('pgrehearse.noted', true), within, pg_catalog.chr(30)), false)
    WHERE pg_catalog.strpos(pg_catalog.concat(pg_catalog.current_setting('pgrehearse.noted', true)),
      pg_catalog.concat(within, pg_catalog.chr(30))) OPERATOR(pg_catalog.=) 0;
END $note$;
CREATE EVENT TRIGGER pgrehearse_note ON ddl_command_end EXECUTE FUNCTION pg_catalog.pgrehearse_note();
ALTER EVENT TRIGGER pgrehearse_note ENABLE ALWAYS
