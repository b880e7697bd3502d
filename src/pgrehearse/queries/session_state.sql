-- What the session has that ends with it, less what it had at the beginning: kept as pgrehearse.session_state
-- until the transaction ends. What cannot be made again gets a value that is never the same.
DO $body$
DECLARE
    beginning CONSTANT pg_catalog.jsonb := {beginning};
    custom CONSTANT pg_catalog.text[] := {custom};
    home CONSTANT pg_catalog.oid := pg_catalog.pg_my_temp_schema();
    state pg_catalog.jsonb;
    one pg_catalog.record;
    held pg_catalog.text;
BEGIN
    SELECT coalesce(pg_catalog.jsonb_object_agg(e.name, e.value), '{}') INTO state FROM (
        SELECT pg_catalog.concat('setting ', s.name), s.setting FROM pg_catalog.pg_settings AS s
         WHERE s.source OPERATOR(pg_catalog.=) 'session'
           AND s.name OPERATOR(pg_catalog.!~) '^(lock_timeout|application_name|client_encoding|transaction_.*)$'
        UNION ALL
        SELECT pg_catalog.concat('custom setting ', c.name),
               pg_catalog.md5(pg_catalog.current_setting(c.name, true))
          FROM pg_catalog.unnest(custom) AS c (name)
         WHERE pg_catalog.current_setting(c.name, true) OPERATOR(pg_catalog.<>) ''
        UNION ALL
        SELECT 'role', pg_catalog.current_setting('role')
        UNION ALL
        SELECT 'session user', session_user::pg_catalog.text
        UNION ALL
        SELECT pg_catalog.concat('prepared statement ', p.name), pg_catalog.md5(p.statement)
          FROM pg_catalog.pg_prepared_statements AS p WHERE p.from_sql
        UNION ALL
        SELECT pg_catalog.concat('cursor ', c.name), pg_catalog.gen_random_uuid()::pg_catalog.text
          FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable
        UNION ALL
        SELECT pg_catalog.concat('channel ', c.name), '' FROM pg_catalog.pg_listening_channels() AS c (name)
        UNION ALL
        SELECT DISTINCT pg_catalog.concat_ws(' ', 'advisory lock', l.classid, l.objid, l.objsubid, l.mode), ''
          FROM pg_catalog.pg_locks AS l
         WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
           AND l.locktype OPERATOR(pg_catalog.=) 'advisory'
           AND l.classid::pg_catalog.int8 OPERATOR(pg_catalog.<>) {lock_class}
    ) AS e (name, value);
    IF home OPERATOR(pg_catalog.<>) 0::pg_catalog.oid THEN
        SELECT pg_catalog.jsonb_concat(state, coalesce(pg_catalog.jsonb_object_agg(e.name, e.value), '{}'))
          INTO state FROM (
            SELECT pg_catalog.concat('temporary relation ', c.relname), pg_catalog.md5(pg_catalog.concat_ws(' ',
                       c.relkind, pg_catalog.pg_get_viewdef(c.oid),
                       CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'S' THEN pg_catalog.pg_sequence_last_value(c.oid) END,
                       (SELECT pg_catalog.string_agg(pg_catalog.concat(a.attname, ' ',
                                   pg_catalog.format_type(a.atttypid, a.atttypmod)), ',' ORDER BY a.attnum)
                          FROM pg_catalog.pg_attribute AS a
                         WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.>) 0
                           AND NOT a.attisdropped)))
              FROM pg_catalog.pg_class AS c WHERE c.relnamespace OPERATOR(pg_catalog.=) home
            UNION ALL
            SELECT pg_catalog.concat('temporary function ', p.proname, '(',
                       pg_catalog.pg_get_function_identity_arguments(p.oid), ')'),
                   pg_catalog.md5(pg_catalog.concat(p.prosrc, pg_catalog.pg_get_function_sqlbody(p.oid)))
              FROM pg_catalog.pg_proc AS p WHERE p.pronamespace OPERATOR(pg_catalog.=) home
            UNION ALL
            SELECT pg_catalog.concat('temporary type ', t.typname), t.typtype::pg_catalog.text
              FROM pg_catalog.pg_type AS t
             WHERE t.typnamespace OPERATOR(pg_catalog.=) home AND t.typtype OPERATOR(pg_catalog.~) '[dermp]'
        ) AS e (name, value);
        FOR one IN SELECT c.oid, c.relname FROM pg_catalog.pg_class AS c
                    WHERE c.relnamespace OPERATOR(pg_catalog.=) home AND c.relkind OPERATOR(pg_catalog.=) 'r'
        LOOP
            held := pg_catalog.gen_random_uuid();
            BEGIN
                IF pg_catalog.pg_relation_size(one.oid) OPERATOR(pg_catalog.<) 1000000::pg_catalog.int8 THEN
                    EXECUTE pg_catalog.format('SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(x.line,'
                        '  ''|'' ORDER BY x.line COLLATE pg_catalog."C"), '''')) FROM (SELECT own_row::pg_catalog.text'
                        ' FROM %s AS own_row) AS x (line)', one.oid::pg_catalog.regclass) INTO held;
                END IF;
            EXCEPTION WHEN OTHERS THEN
                NULL;  -- the role of the moment may not read it
            END;
            state := pg_catalog.jsonb_concat(state, pg_catalog.jsonb_build_object(
                pg_catalog.concat('rows of ', one.relname), held));
        END LOOP;
    END IF;
    SELECT coalesce(pg_catalog.jsonb_object_agg(e.name, e.value), '{}') INTO state FROM (
        SELECT s.key, s.value FROM pg_catalog.jsonb_each(state) AS s
         WHERE s.value::pg_catalog.text OPERATOR(pg_catalog.<>)
               coalesce(pg_catalog.jsonb_object_field(beginning, s.key)::pg_catalog.text, '')
        UNION ALL
        SELECT b.key, 'null' FROM pg_catalog.jsonb_each(beginning) AS b
         WHERE pg_catalog.jsonb_object_field(state, b.key) IS NULL
    ) AS e (name, value);
    PERFORM pg_catalog.set_config('pgrehearse.session_state', state::pg_catalog.text, true);
END
$body$
