-- Does a transaction that is slow to end hold a lock on the table?
SELECT CASE
           WHEN NOT pg_has_role('pg_read_all_stats', 'USAGE')
               THEN 'stop: this role cannot see other sessions, it needs pg_read_all_stats'
           WHEN bool_or(lock.pid IS NULL)
               THEN 'stop: end the prepared transactions first, see pg_prepared_xacts'
           WHEN bool_or(session.query LIKE 'autovacuum:%(to prevent wraparound)')
               THEN 'stop: autovacuum against wraparound is at work on the table and does not give way'
           WHEN count(*) > 0
               THEN 'stop: wait for these transactions, open for over a minute: pid '
                    || string_agg(DISTINCT lock.pid::text, ', ')
           ELSE 'ok'
       END AS preflight
FROM pg_locks AS lock
LEFT JOIN pg_stat_activity AS session ON session.pid = lock.pid
WHERE lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (lock.relation = :'table'::regclass
       OR lock.relation IN (SELECT relid FROM pg_partition_tree(:'table'::regclass)))
  AND (lock.pid IS NULL
       OR session.query LIKE 'autovacuum:%(to prevent wraparound)'
       OR lock.pid <> pg_backend_pid()
          AND session.backend_type = 'client backend'
          AND session.xact_start < clock_timestamp() - interval '1 minute');
