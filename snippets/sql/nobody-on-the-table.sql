-- Does a transaction that is slow to end hold a lock on the table?
SELECT CASE
           WHEN bool_or(lock.pid IS NULL)
               THEN 'stop: end the prepared transactions first, see pg_prepared_xacts'
           WHEN bool_or(session.query LIKE 'autovacuum:%(to prevent wraparound)')
               THEN 'stop: autovacuum against wraparound is at work on the table and does not give way'
           WHEN count(session.xact_start) > 0
               THEN 'stop: wait for these transactions, open for over a minute: pid '
                    || string_agg(DISTINCT lock.pid::text, ', ') FILTER (WHERE session.xact_start IS NOT NULL)
           WHEN count(*) > 0
               THEN 'unseen: how old these transactions on the table are, without pg_read_all_stats: pid '
                    || string_agg(DISTINCT concat(lock.pid, ' of ' || session.usename), ', ')
           ELSE 'ok'
       END AS preflight
FROM pg_locks AS lock
LEFT JOIN pg_stat_activity AS session ON session.pid = lock.pid
WHERE lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (lock.relation = :'table'::regclass
       OR lock.relation IN (SELECT relid FROM pg_partition_tree(:'table'::regclass)))
  AND (lock.pid IS NULL
       OR session.query LIKE 'autovacuum:%(to prevent wraparound)'
       OR session.pid <> pg_backend_pid()
          -- A session of which this role may see no more than that it is there has no backend_type.
          AND (session.backend_type IS NULL
               OR session.backend_type = 'client backend'
                  AND session.xact_start < clock_timestamp() - interval '1 minute'));
