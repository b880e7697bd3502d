-- Walks along the unique index that begins with a column, in batches that commit, and changes what is to do.
CREATE OR REPLACE PROCEDURE pg_temp.change_in_batches(
    target regclass, key name, change text, todo text, batch_size bigint, pause double precision
) LANGUAGE plpgsql AS $procedure$
DECLARE
    keys text;     -- the columns of the index: a, b
    down text;     -- the same from the end: a DESC, b DESC
    taken text;    -- reads their values: ARRAY[a::text, b::text]
    after text;    -- the values of the batch before: $1[1]::integer, $1[2]::text
    until text;    -- those of the end of this batch
    final_key text[];
    last_key text[];
    next_key text[];
    changed bigint;
    total bigint := 0;
    batch bigint := 0;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY place),
           string_agg(quote_ident(attname) || ' DESC', ', ' ORDER BY place),
           format('ARRAY[%s]', string_agg(quote_ident(attname) || '::text', ', ' ORDER BY place)),
           string_agg(format('$1[%s]::%s', place + 1, format_type(atttypid, atttypmod)), ', ' ORDER BY place),
           string_agg(format('$2[%s]::%s', place + 1, format_type(atttypid, atttypmod)), ', ' ORDER BY place)
    INTO keys, down, taken, after, until
    FROM (SELECT indkey, indnkeyatts FROM pg_index
          JOIN pg_class ON pg_class.oid = indexrelid
          JOIN pg_am ON pg_am.oid = relam AND amname = 'btree'
          WHERE indrelid = target AND indisunique AND indisvalid AND indimmediate
            AND indpred IS NULL AND indexprs IS NULL
            AND (SELECT attname FROM pg_attribute WHERE attrelid = target AND attnum = indkey[0]) = key
            -- Only in its own order an index serves a walk: all up or all down, as the columns sort by themselves.
            AND NOT EXISTS (
                SELECT FROM generate_series(0, indnkeyatts - 1) AS place
                JOIN pg_attribute ON attrelid = target AND attnum = indkey[place]
                JOIN pg_opclass ON pg_opclass.oid = indclass[place]
                WHERE NOT attnotnull OR NOT opcdefault OR indcollation[place] <> attcollation
                   OR indoption[place] & 1 <> indoption[0] & 1)
          ORDER BY indnkeyatts, indexrelid LIMIT 1) AS walk
    CROSS JOIN generate_series(0, indnkeyatts - 1) AS place
    JOIN pg_attribute ON attrelid = target AND attnum = indkey[place];
    IF keys IS NULL THEN
        RAISE EXCEPTION 'stop: no valid unique index of NOT NULL columns begins with %', quote_ident(key);
    END IF;

    EXECUTE format('SELECT %s FROM %s ORDER BY %s LIMIT 1', taken, target, down) INTO final_key;
    LOOP
        -- The last key of the next batch_size rows, done or not: a batch never reads more than that.
        EXECUTE format('SELECT %1$s FROM (SELECT %2$s FROM %3$s
                                          WHERE ($1 IS NULL OR ROW (%2$s) > ROW (%4$s)) AND ROW (%2$s) <= ROW (%5$s)
                                          ORDER BY %2$s LIMIT %6$s) AS batch ORDER BY %7$s LIMIT 1',
                       taken, keys, target, after, until, batch_size, down)
        INTO next_key USING last_key, final_key;
        EXIT WHEN next_key IS NULL;
        EXECUTE format('UPDATE %1$s SET %2$s
                        WHERE ($1 IS NULL OR ROW (%3$s) > ROW (%4$s)) AND ROW (%3$s) <= ROW (%5$s) AND (%6$s)',
                       target, change, keys, after, until, todo)
        USING last_key, next_key;
        GET DIAGNOSTICS changed = ROW_COUNT;
        COMMIT;
        total := total + changed;
        batch := batch + 1;
        last_key := next_key;
        IF batch % 100 = 0 THEN
            RAISE NOTICE 'batch %: % rows changed, at key % of %', batch, total, last_key, final_key;
        END IF;
        PERFORM pg_sleep(pause);
    END LOOP;
    RAISE NOTICE 'done: % batches, % rows changed', batch, total;
END
$procedure$;
