-- Which indexes are not usable, and what are they: still being built, or remains?
-- Of builds of other roles only the pid and the locks are shown to a role without pg_monitor: "unknown" may be one.
SELECT index.indexrelid::regclass AS index,
       index.indrelid::regclass AS "table",
       index.indisunique AS "unique",
       index.indisready AS written,
       pg_size_pretty(pg_relation_size(index.indexrelid)) AS size,
       worker.pid AS busy_pid,
       CASE
           WHEN class.relkind = 'I' THEN 'a partition has no attached index'
           WHEN worker.hidden THEN 'unknown: ask as pg_monitor, or wait'
           WHEN worker.pid IS NOT NULL THEN 'in progress, wait for it'
           WHEN NOT index.indislive THEN 'half dropped: drop it'
           WHEN class.relname ~ '_ccnew\d*$' THEN 'copy of a REINDEX cut short: drop it'
           WHEN class.relname ~ '_ccold\d*$' THEN 'replaced by a REINDEX: drop it'
           ELSE 'build or drop cut short: drop it or REINDEX'
       END AS verdict
FROM pg_index AS index
JOIN pg_class AS class ON class.oid = index.indexrelid
LEFT JOIN LATERAL (
    SELECT progress.pid, false AS hidden
    FROM pg_stat_progress_create_index AS progress
    WHERE progress.datname = current_database()
      AND progress.index_relid = index.indexrelid
    UNION ALL
    SELECT lock.pid, lock.relation = index.indrelid
    FROM pg_locks AS lock
    JOIN pg_database AS current ON current.oid = lock.database
    JOIN pg_stat_activity AS session ON session.pid = lock.pid
    WHERE current.datname = current_database()
      AND (lock.relation = index.indexrelid
               AND lock.mode IN ('ShareUpdateExclusiveLock', 'AccessExclusiveLock')
           OR lock.relation = index.indrelid
               AND lock.mode = 'ShareUpdateExclusiveLock'  -- of VACUUM and ANALYZE, too
               AND session.backend_type IS NULL AND session.usename IS NOT NULL)
    ORDER BY hidden
    LIMIT 1
) AS worker ON true
WHERE NOT (index.indisvalid AND index.indisready AND index.indislive)
ORDER BY index.indrelid::regclass::text, class.relname;
