-- Can a walk go over all rows of the table, and see how far its standbys are? What a trigger does to a row is only known when it
-- does it.
WITH RECURSIVE member AS (
    SELECT to_regclass(:'table')::oid AS relid
    UNION
    SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
)
SELECT CASE
           WHEN :'batch_time' !~ '^[0-9]{1,2}(\.[0-9]{1,3})?$' OR :'batch_time' !~ '[1-9]'
               THEN 'stop: batch_time is a number of seconds, 0.001 to 99'
           WHEN :'pause' !~ '^[0-9]{1,4}(\.[0-9]{1,3})?$'
               THEN 'stop: pause is a number of seconds, 0 to 9999'
           WHEN :'max_lag' !~ '^[0-9]{1,6}(\.[0-9]{1,3})?$'
               THEN 'stop: max_lag is a number of seconds; 0 lets standbys fall behind as far as they do'
           WHEN bool_or(relkind NOT IN ('r', 'p'))
               THEN 'stop: no table that a walk can read page by page: '
                    || string_agg(relid::regclass::text, ', ') FILTER (WHERE relkind NOT IN ('r', 'p'))
           WHEN bool_or(relkind = 'r' AND (SELECT amname <> 'heap' FROM pg_am WHERE pg_am.oid = relam))
               THEN 'stop: a table is not stored as a heap, so it has no pages to walk along'
           WHEN bool_or(NOT has_table_privilege(relid, 'SELECT') OR NOT has_any_column_privilege(relid, 'UPDATE'))
               THEN 'stop: this role may not read and update every one of the table and its children'
           WHEN :'max_lag' ~ '[1-9]' AND NOT pg_has_role('pg_read_all_stats', 'USAGE')
                AND EXISTS (SELECT FROM pg_stat_replication)
               THEN 'unseen: how far standbys are behind: the walk cannot wait for them; see to it, or GRANT '
                    'pg_read_all_stats'
           WHEN min(guard.names) IS NOT NULL
               THEN 'unseen: whether these triggers let the walk write each row; where one raises an error or returns NULL '
                    'for a row, it stops half-way: ' || min(guard.names)
           ELSE 'ok'
       END AS preflight
FROM member
JOIN pg_class ON pg_class.oid = relid
CROSS JOIN (
    SELECT string_agg(DISTINCT format('%I of %s', tgname, tgrelid::regclass), ', ')
    FROM pg_trigger JOIN member ON tgrelid = relid
    JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE NOT tgisinternal AND tgparentid = 0 AND tgenabled IN ('O', 'A') AND tgtype::int & 17 = 17
      AND tgname !~ '^zz_.*_(sync|split)$'  -- a runbook's own
      AND (cardinality(tgattr::int2[]) = 0
           OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = tgrelid AND attname = :'column' AND attnum = ANY (tgattr::int2[])))
      AND (prosrc ~* '\mraise\M(?!\s+(debug|log|info|notice|warning)\M)'
           OR tgtype::int & 2 = 2 AND prosrc ~* '\mreturn\s+null\M')
) AS guard (names);
