-- Would a concurrent build or drop of an index on the table wait for somebody who is slow to end?
SELECT CASE
           WHEN NOT pg_has_role('pg_read_all_stats', 'USAGE')
               THEN 'stop: this role cannot see other sessions, it needs pg_read_all_stats'
           WHEN EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())
               THEN 'stop: end the prepared transactions first, see pg_prepared_xacts'
           WHEN count(*) > 0
               THEN 'stop: wait for these transactions, open for over a minute: pid '
                    || string_agg(pid::text, ', ')
           ELSE 'ok'
       END AS preflight
FROM pg_stat_activity
WHERE datname = current_database()
  AND pid <> pg_backend_pid()
  AND backend_type <> 'autovacuum worker'
  AND pid NOT IN (SELECT pid FROM pg_stat_progress_vacuum)
  AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL
       OR pid IN (SELECT pid FROM pg_locks
                  WHERE relation = :'table'::regclass
                     OR relation IN (SELECT relid FROM pg_partition_tree(:'table'::regclass))))
  AND xact_start < clock_timestamp() - interval '1 minute';
