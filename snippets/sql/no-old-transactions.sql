-- Would a concurrent build or drop of an index on the table wait for somebody who is slow to end?
SELECT CASE
           WHEN EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())
               THEN 'stop: end the prepared transactions first, see pg_prepared_xacts'
           WHEN count(xact_start) > 0
               THEN 'stop: wait for these transactions, open for over a minute: pid '
                    || string_agg(pid::text, ', ') FILTER (WHERE xact_start IS NOT NULL)
           WHEN count(*) > 0
               THEN 'unseen: how old these transactions are, without pg_read_all_stats: pid '
                    || string_agg(concat(pid, ' of ' || usename), ', ')
           ELSE 'ok'
       END AS preflight
FROM pg_stat_activity
WHERE datname = current_database()
  AND pid <> pg_backend_pid()
  AND pid NOT IN (SELECT pid FROM pg_stat_progress_vacuum)
  -- A session of which this role may see no more than that it is there has no backend_type.
  AND (backend_type IS NULL AND usename IS NOT NULL
           AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'virtualxid')
       OR backend_type <> 'autovacuum worker'
           AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL
                OR pid IN (SELECT pid FROM pg_locks
                           WHERE relation = :'table'::regclass
                              OR relation IN (SELECT relid FROM pg_partition_tree(:'table'::regclass))))
           AND xact_start < clock_timestamp() - interval '1 minute');
