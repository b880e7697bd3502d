-- Walks over the rows of a table and of its partitions, page by page, in batches that commit; it needs no key.
-- A batch takes about batch_time seconds. Between batches the walk waits while somebody waits for a lock on the
-- table, or a standby is more than max_lag seconds behind. How far it is stands in a receipt: another call goes on there.
-- A writer of several rows may wait for a batch that waits for it. Whoever waits for deadlock_timeout is ended, so a batch
-- gives up before that, and is tried again as long as five waits of lock_timeout would take.
CREATE OR REPLACE PROCEDURE pg_temp.walk_waits(
    members oid[], max_lag double precision, INOUT mark pg_lsn, INOUT marked_at timestamptz
) LANGUAGE plpgsql AS $procedure$
DECLARE
    held_by text;
    looks integer := 0;
BEGIN
    LOOP
        -- What was written until marked_at ends at mark. Once all standbys have replayed that, a new mark is made.
        IF mark IS NULL OR NOT EXISTS (SELECT FROM pg_stat_replication WHERE replay_lsn < mark) THEN
            mark := pg_current_wal_insert_lsn();
            marked_at := clock_timestamp();
        END IF;
        SELECT format('process %s waits for a lock on %s', pid, relation::regclass) INTO held_by
        FROM pg_locks
        WHERE NOT granted AND locktype = 'relation' AND relation = ANY (members)
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        LIMIT 1;
        IF held_by IS NULL AND max_lag > 0 AND clock_timestamp() > marked_at + make_interval(secs => max_lag) THEN
            SELECT format('standby %s of process %s is behind', application_name, pid) INTO held_by
            FROM pg_stat_replication WHERE replay_lsn < mark LIMIT 1;
        END IF;
        EXIT WHEN held_by IS NULL;
        looks := looks + 1;
        IF looks % 300 = 10 THEN
            RAISE NOTICE 'the walk waits: %', held_by;
        END IF;
        PERFORM pg_current_xact_id();  -- a standby reports how far it is when something arrives
        COMMIT;
        PERFORM pg_sleep(0.1);
        COMMIT;
    END LOOP;
    IF looks >= 10 THEN
        RAISE NOTICE 'the walk goes on after % seconds', looks / 10;
    END IF;
END
$procedure$;

-- A batch is head, the name of a table, and tail, which takes the rows of ctid >= $1 AND ctid < $2 that are to do.
CREATE OR REPLACE PROCEDURE pg_temp.walk_in_batches(
    target regclass, purpose text, head text, tail text,
    batch_time double precision, pause double precision, max_lag double precision
) LANGUAGE plpgsql AS $procedure$
DECLARE
    work CONSTANT text := md5(concat(head, '|', tail));
    recorded CONSTANT boolean := pg_has_role(pg_temp.receipt_owner('pg_class', target), 'USAGE');
    wait CONSTANT integer := (SELECT setting FROM pg_settings WHERE name = 'lock_timeout');  -- milliseconds, 0 for ever
    patience CONSTANT text := (SELECT greatest(1, least(nullif(wait, 0), setting::integer / 3)) FROM pg_settings
                               WHERE name = 'deadlock_timeout') || 'ms';
    begun jsonb := pg_temp.receipt('pg_class', target, purpose || ' walk');
    members oid[];       -- the table, its partitions and children, those of them that hold rows
    sizes bigint[];      -- their pages
    page bigint;
    pages bigint := 16;  -- of a batch; more or fewer by the time the batch before took
    done bigint;         -- pages of the pass
    changed bigint;
    in_pass bigint;
    pass_before bigint;
    whole boolean;
    total bigint := 0;
    batches bigint := 0;
    tries integer;
    tried_at timestamptz;
    mark pg_lsn;
    marked_at timestamptz;
    began timestamptz;
    told_at timestamptz := clock_timestamp();
    kept_at timestamptz := clock_timestamp();
BEGIN
    COMMIT;  -- refused at once where no batch could commit
    -- A row that somebody wrote meanwhile has moved, perhaps to where the walk has been: the last pass changes nothing.
    LOOP
        WITH RECURSIVE tree AS (
            SELECT target::oid AS oid UNION SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = tree.oid
        )
        SELECT array_agg(oid ORDER BY oid) INTO members FROM tree JOIN pg_class USING (oid) WHERE relkind = 'r';
        CALL pg_temp.walk_waits(members, max_lag, mark, marked_at);
        sizes := ARRAY(SELECT pg_relation_size(member) / current_setting('block_size')::bigint
                       FROM unnest(members) WITH ORDINALITY AS one (member, place) ORDER BY place);
        done := 0;
        in_pass := 0;
        whole := true;
        FOR place IN 1 .. coalesce(cardinality(members), 0) LOOP
            page := 0;
            IF begun ->> 'work' = work AND (begun ->> 'member')::oid = ANY (members) THEN
                whole := false;
                IF (begun ->> 'member')::oid <> members[place] THEN
                    done := done + sizes[place];
                    CONTINUE;
                END IF;
                IF (begun ->> 'file')::oid = pg_relation_filenode(members[place]) THEN
                    page := least((begun ->> 'page')::bigint, sizes[place]);
                END IF;
                RAISE NOTICE 'goes on at page % of %', page, members[place]::regclass;
            END IF;
            begun := NULL;
            done := done + page;
            WHILE page < sizes[place] LOOP
                CALL pg_temp.walk_waits(members, max_lag, mark, marked_at);
                tries := 0;
                tried_at := clock_timestamp();
                LOOP
                    began := clock_timestamp();
                    pages := least(pages, sizes[place] - page);
                    PERFORM set_config('lock_timeout', patience, true);
                    BEGIN
                        EXECUTE concat(head, members[place]::regclass, tail)
                        USING format('(%s,0)', page)::tid, format('(%s,0)', page + pages)::tid;
                        GET DIAGNOSTICS changed = ROW_COUNT;
                        EXIT;
                    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                        tries := tries + 1;
                        IF tries >= 5 AND wait > 0 AND clock_timestamp() > tried_at + wait * interval '5 milliseconds' THEN
                            RAISE;
                        END IF;
                    END;
                    IF tries % 10 = 5 THEN
                        RAISE NOTICE 'the walk waits: somebody has a row from page % of % on', page, members[place]::regclass;
                    END IF;
                    pages := greatest(pages / 4, 1);
                    COMMIT;
                    PERFORM pg_sleep(0.1 * 2 ^ least(tries, 4));
                    COMMIT;
                END LOOP;
                page := page + pages;
                done := done + pages;
                IF recorded AND clock_timestamp() > kept_at + interval '1 second' THEN
                    PERFORM pg_temp.keep_receipt('pg_class', target, purpose || ' walk', jsonb_build_object(
                        'work', work, 'member', members[place], 'file', pg_relation_filenode(members[place]),
                        'page', page));
                    kept_at := clock_timestamp();
                END IF;
                COMMIT;
                in_pass := in_pass + changed;
                total := total + changed;
                batches := batches + 1;
                -- Pages with nothing to do say nothing about how long others will take.
                IF changed > 0 THEN
                    pages := greatest(1, least(1024, ceil(pages * least(
                        1.5, batch_time / greatest(extract(epoch FROM clock_timestamp() - began), 0.0001)))));
                END IF;
                IF clock_timestamp() > told_at + interval '1 second' THEN
                    RAISE NOTICE '% of % pages, % rows changed',
                        done, (SELECT sum(one) FROM unnest(sizes) AS one), total;
                    told_at := clock_timestamp();
                END IF;
                IF pause > 0 AND changed > 0 THEN
                    PERFORM pg_sleep(pause);
                    COMMIT;
                END IF;
            END LOOP;
        END LOOP;
        EXIT WHEN whole AND (in_pass = 0 OR in_pass >= pass_before);
        pass_before := CASE WHEN whole THEN in_pass END;
    END LOOP;
    PERFORM pg_temp.drop_receipt('pg_class', target, purpose || ' walk');
    COMMIT;
    RAISE NOTICE 'done: % rows changed in % batches', total, batches;
END
$procedure$;
