-- Raises 25006 when this transaction has changed more than temporary objects: a lock that a reader does not
-- take, on another relation or a shared catalog; a new version of a row of these catalogs; or a lost one.
-- Sent twice in a REPEATABLE READ transaction, where nobody else's changes are seen: at first it counts, and
-- sees what event triggers of the database touch for any temporary object, such as the table of an audit.
DO $body$
DECLARE
    temporary CONSTANT pg_catalog.text := '^pg_(toast_)?temp_';
    own pg_catalog.xid[];
    found pg_catalog.text;
    before CONSTANT pg_catalog.text := pg_catalog.current_setting('pgrehearse.lasting_objects', true);
    after pg_catalog.text;
    audits pg_catalog.oid[] := '{}';
BEGIN
    SELECT pg_catalog.count(*)::pg_catalog.text INTO after FROM (
        SELECT c.relnamespace AS home FROM pg_catalog.pg_class AS c
        UNION ALL SELECT p.pronamespace FROM pg_catalog.pg_proc AS p
        UNION ALL SELECT t.typnamespace FROM pg_catalog.pg_type AS t
        UNION ALL SELECT n.oid FROM pg_catalog.pg_namespace AS n) AS o
      JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.home
     WHERE n.nspname OPERATOR(pg_catalog.!~) temporary;
    IF coalesce(before, '') OPERATOR(pg_catalog.=) '' THEN
        PERFORM pg_catalog.set_config('pgrehearse.lasting_objects', after, true);
        IF EXISTS (SELECT FROM pg_catalog.pg_event_trigger AS e
                    WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D'
                      AND e.evtevent OPERATOR(pg_catalog.<>) 'login') THEN
            BEGIN
                CREATE TEMPORARY TABLE pgrehearse_probe ();
                CREATE FUNCTION pg_temp.pgrehearse_probe() RETURNS pg_catalog.int4 LANGUAGE sql AS 'SELECT 1';
                DROP FUNCTION pg_temp.pgrehearse_probe();
                DROP TABLE pg_temp.pgrehearse_probe;
                SELECT pg_catalog.array_agg(DISTINCT l.relation) INTO audits FROM pg_catalog.pg_locks AS l
                  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) l.relation
                  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
                 WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
                   AND n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog' AND n.nspname OPERATOR(pg_catalog.!~) temporary;
                RAISE EXCEPTION USING ERRCODE = 'PGR02';
            EXCEPTION WHEN OTHERS THEN
                NULL;  -- also where a trigger refuses them: the statement hears of that by itself
            END;
            PERFORM pg_catalog.set_config('pgrehearse.audits', coalesce(audits, '{}')::pg_catalog.text, true);
        END IF;
        RETURN;
    END IF;
    audits := coalesce(nullif(pg_catalog.current_setting('pgrehearse.audits', true), ''), '{}')::pg_catalog.oid[];
    SELECT pg_catalog.array_agg(l.transactionid) INTO own FROM pg_catalog.pg_locks AS l
     WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
       AND l.locktype OPERATOR(pg_catalog.=) 'transactionid';
    SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('%I.%I', changed.home, changed.name), ', ') INTO found
      FROM (
        SELECT n.nspname AS home, c.relname AS name
          FROM pg_catalog.pg_locks AS l
          JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) l.relation
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
         WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
           AND l.locktype OPERATOR(pg_catalog.=) 'relation'
           AND l.mode OPERATOR(pg_catalog.<>) 'AccessShareLock'
           AND NOT l.relation OPERATOR(pg_catalog.=) ANY (audits)
           AND (n.nspname OPERATOR(pg_catalog.<>) 'pg_catalog' OR c.relisshared)
           -- Where a catalog keeps what is long, such as the body of a temporary function: its own rows tell.
           AND NOT (n.nspname OPERATOR(pg_catalog.=) 'pg_toast' AND c.oid OPERATOR(pg_catalog.<) 16384
                    AND NOT c.relisshared)
        UNION ALL
        SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
         WHERE c.xmin OPERATOR(pg_catalog.=) ANY (own)
        UNION ALL
        SELECT n.nspname, p.proname FROM pg_catalog.pg_proc AS p
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
         WHERE p.xmin OPERATOR(pg_catalog.=) ANY (own)
        UNION ALL
        SELECT n.nspname, t.typname FROM pg_catalog.pg_type AS t
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
         WHERE t.xmin OPERATOR(pg_catalog.=) ANY (own)
        UNION ALL
        SELECT n.nspname, t.typname FROM pg_catalog.pg_enum AS e
          JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) e.enumtypid
          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
         WHERE e.xmin OPERATOR(pg_catalog.=) ANY (own)
        UNION ALL
        SELECT n.nspname, n.nspname FROM pg_catalog.pg_namespace AS n
         WHERE n.xmin OPERATOR(pg_catalog.=) ANY (own)
      ) AS changed
     WHERE changed.home OPERATOR(pg_catalog.!~) temporary;
    IF before OPERATOR(pg_catalog.<>) after THEN
        found := pg_catalog.concat_ws(', ', found, 'what it dropped');
    END IF;
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'this statement may change temporary objects only, it touched %', found
            USING ERRCODE = '25006';
    END IF;
END
$body$
