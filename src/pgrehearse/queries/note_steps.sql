-- Records steps; `asked` in the last of the rows is the session's state, if it was asked. Sent after session_state.
-- As the role that connected, whatever role a step took on. A READ ONLY transaction does nothing that could be recorded.
DO $body$
DECLARE
    before CONSTANT pg_catalog.text := pg_catalog.current_setting('role');
    before_user CONSTANT pg_catalog.text := pg_catalog.current_setting('session_authorization');
    asked CONSTANT pg_catalog.jsonb := CASE
        WHEN pg_catalog.current_setting('pgrehearse.session_state') OPERATOR(pg_catalog.<>) ''
        THEN pg_catalog.current_setting('pgrehearse.session_state')::pg_catalog.jsonb END;
    written pg_catalog.int8;
BEGIN
    IF pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on' THEN
        RETURN;
    END IF;
    IF before_user OPERATOR(pg_catalog.<>) {user} THEN
        PERFORM pg_catalog.set_config('session_authorization', {user}, true);
    END IF;
    IF before OPERATOR(pg_catalog.<>) 'none' THEN
        PERFORM pg_catalog.set_config('role', 'none', true);
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
                  AND l.locktype OPERATOR(pg_catalog.=) 'relation'
                  AND l.relation OPERATOR(pg_catalog.=) ANY (ARRAY[pg_catalog.to_regclass('pgrehearse.run'),
                          pg_catalog.to_regclass('pgrehearse.step')]::pg_catalog.oid[])
                  AND l.mode OPERATOR(pg_catalog.<>) ALL (ARRAY['AccessShareLock', 'RowShareLock'])) THEN
        RAISE EXCEPTION 'this step changes the ledger of runs, which says what is done';
    END IF;
    INSERT INTO pgrehearse.step AS s (run, line, statement, generated, phase, digest, outcome, of_the_session, state)
    VALUES {rows}
    ON CONFLICT (run, line, statement, generated) DO UPDATE
       SET (outcome, digest, state, written) = (excluded.outcome, excluded.digest, excluded.state,
            pg_catalog.clock_timestamp()), position = DEFAULT;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written OPERATOR(pg_catalog.<>) {count} THEN
        RAISE EXCEPTION 'pgrehearse.step took % of % rows', written, {count};
    END IF;
    IF before_user OPERATOR(pg_catalog.<>) {user} THEN
        PERFORM pg_catalog.set_config('session_authorization', before_user, true);
    END IF;
    IF before OPERATOR(pg_catalog.<>) 'none' THEN
        PERFORM pg_catalog.set_config('role', before, true);
    END IF;
END
$body$
