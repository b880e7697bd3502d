-- Raises PGR01 when the transaction has a lock of one of the modes on a relation that outlives the session.
-- SIReadLock says what a serializable transaction read; it keeps nobody waiting and changes nothing.
DO $body$
DECLARE
    found pg_catalog.text;
BEGIN
    SELECT pg_catalog.string_agg(DISTINCT c.oid::pg_catalog.regclass::pg_catalog.text, ', ') INTO found
      FROM pg_catalog.pg_locks AS l
      JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) l.relation
     WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
       AND l.locktype OPERATOR(pg_catalog.=) 'relation'
       AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d
             WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
       AND l.mode OPERATOR(pg_catalog.<>) ALL ({spared}) AND l.mode OPERATOR(pg_catalog.<>) 'SIReadLock'
       AND c.relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n
             WHERE n.oid OPERATOR(pg_catalog.=) c.relnamespace AND n.nspname OPERATOR(pg_catalog.=)
                   ANY (ARRAY['pg_catalog', 'pg_toast', 'information_schema']::pg_catalog.name[]));
    IF found IS NOT NULL THEN
        RAISE EXCEPTION '{said}: %', found USING ERRCODE = 'PGR01';
    END IF;
END
$body$
