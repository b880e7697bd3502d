-- Sent after a statement that calls nothing which could change the session. What session_state.sql asks is asked
-- only where an event trigger or a temporary object makes that doubtful; else '' is kept.
DO $quiet$
BEGIN
    IF pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.=) 0::pg_catalog.oid
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger AS t WHERE t.evtenabled OPERATOR(pg_catalog.<>) 'D')
    THEN
        PERFORM pg_catalog.set_config('pgrehearse.session_state', '', true);
    ELSE
        EXECUTE {state};
    END IF;
END
$quiet$
