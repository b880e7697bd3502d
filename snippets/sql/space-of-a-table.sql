-- Why a table cannot be copied beside its readers and writers; NULL where it can.
CREATE OR REPLACE FUNCTION pg_temp.repack_refusal(target regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT CASE
               WHEN current_setting('server_version_num')::integer < 190000 THEN 'it is there from PostgreSQL 19 on'
               WHEN relpersistence <> 'p' THEN 'the table is unlogged'
               WHEN relreplident = 'f' THEN 'its REPLICA IDENTITY is FULL'
               WHEN relreplident = 'n' THEN 'its REPLICA IDENTITY is NOTHING'
               WHEN index.indexrelid IS NULL AND relreplident = 'i' THEN 'the index of its REPLICA IDENTITY is gone'
               WHEN index.indexrelid IS NULL THEN 'it has no primary key, and no REPLICA IDENTITY USING INDEX'
               WHEN NOT indimmediate THEN format('its key %s is deferrable', indexrelid::regclass)
               WHEN current_setting('wal_level') = 'minimal' THEN 'wal_level is minimal'
               WHEN current_setting('max_repack_replication_slots', true) = '0' THEN 'max_repack_replication_slots is 0'
           END
    FROM pg_class AS class
    LEFT JOIN pg_index AS index
        ON indrelid = class.oid AND CASE relreplident WHEN 'i' THEN indisreplident ELSE indisprimary END
    WHERE class.oid = target
$body$;

-- Which road leads to a smaller table, and how much of its space would its rows need then? Asked of about 2,000 pages.
-- NULL where this role does not see all rows, or where the columns are too many. empty_end: there are as many pages
-- without rows at the end as VACUUM wants to see before it cuts them off.
CREATE OR REPLACE FUNCTION pg_temp.space_of(
    target regclass, outage text,
    OUT road text, OUT bytes bigint, OUT needed bigint, OUT free_percent integer, OUT empty_end boolean
) LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    block CONSTANT numeric := current_setting('block_size')::numeric;
    pages CONSTANT bigint := pg_relation_size(target) / block;
    share CONSTANT numeric := least(100, 200000.0 / greatest(pages, 1));
    class pg_class;
    row_width text;
    toast_width text;
    usable numeric;
    live numeric;
    width numeric;
    toast numeric;
BEGIN
    SELECT * INTO class FROM pg_class WHERE oid = target;
    road := CASE WHEN pg_temp.repack_refusal(target) IS NULL THEN 'REPACK (CONCURRENTLY)'
                 WHEN outage <> '' THEN 'VACUUM (FULL)' ELSE 'VACUUM (TRUNCATE)' END;
    bytes := pages * block + coalesce(pg_relation_size(nullif(class.reltoastrelid, 0)), 0);
    -- The expression of a row's width is nested once a column.
    IF row_security_active(target) OR NOT has_table_privilege(target, 'SELECT') OR class.relnatts > 400 THEN
        RETURN;
    END IF;
    -- A row as it lies on its page: header, then each column where its type wants it. What is large lies elsewhere.
    SELECT concat(repeat('((', count(*)::integer),
                  (23 + CASE WHEN bool_or(NOT attnotnull) THEN (class.relnatts + 7) / 8 ELSE 0 END + 7) / 8 * 8,
                  string_agg(format(' + %s) / %s * %s + CASE WHEN it.%I IS NULL THEN 0 %s END)', places - 1, places, places,
                                    attname, inline), '' ORDER BY attnum)),
           concat_ws(' + ', '0', string_agg(format('CASE WHEN pg_column_size(it.%1$I) > 2000 THEN pg_column_size(it.%1$I) ELSE 0 END',
                                                   attname), ' + ' ORDER BY attnum) FILTER (WHERE attlen = -1))
    INTO row_width, toast_width
    FROM pg_attribute
    CROSS JOIN LATERAL (SELECT
        CASE WHEN attlen = -1 THEN 1 ELSE CASE attalign WHEN 'c' THEN 1 WHEN 's' THEN 2 WHEN 'i' THEN 4 ELSE 8 END END AS places,
        CASE WHEN attlen > 0 THEN format('ELSE %s', attlen)
             ELSE format('WHEN pg_column_size(it.%1$I) > 2000 THEN 18 ELSE pg_column_size(it.%1$I)', attname) END AS inline
    ) AS stored
    WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attgenerated <> 'v';
    EXECUTE format('SELECT count(*), avg((%s + 7) / 8 * 8 + 4), coalesce(sum((%s)::numeric), 0) '
                   'FROM ONLY %s AS it TABLESAMPLE SYSTEM (%s) REPEATABLE (1)',
                   coalesce(nullif(row_width, ''), '24'), toast_width, target, share)
    INTO live, width, toast;
    usable := block - 24 - block * (100 - coalesce((SELECT option_value::numeric FROM pg_options_to_table(class.reloptions)
                                                    WHERE option_name = 'fillfactor'), 100)) / 100;
    needed := (ceil(live * 100 / share / greatest(1, floor(usable / coalesce(width, usable)))) * block
               + ceil(toast * 100 / share * 1.15 / block) * block);
    -- Less than a page of the table, and one of what lies elsewhere, is no gain.
    free_percent := greatest(0, floor(100 * (bytes - needed - 2 * block) / greatest(bytes, 1)));
    IF pages > 0 THEN
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM ONLY %s WHERE ctid >= %L)', target,
                       format('(%s,0)', greatest(0, pages - least(1000, ceil(pages / 16.0)))))
        INTO empty_end;
    END IF;
END
$body$;
