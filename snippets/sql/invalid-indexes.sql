-- Which indexes are not usable, and what are they: still being built, or remains?
-- Ask as a member of pg_monitor: other users' builds are hidden from the rest.
SELECT index.indexrelid::regclass AS index,
       index.indrelid::regclass AS "table",
       index.indisunique AS "unique",
       index.indisready AS written,
       pg_size_pretty(pg_relation_size(index.indexrelid)) AS size,
       worker.pid AS busy_pid,
       CASE
           WHEN class.relkind = 'I' THEN 'a partition has no attached index'
           WHEN worker.pid IS NOT NULL THEN 'in progress, wait for it'
           WHEN NOT pg_has_role('pg_read_all_stats', 'USAGE') THEN 'unknown: ask as pg_monitor'
           WHEN NOT index.indislive THEN 'half dropped: drop it'
           WHEN class.relname ~ '_ccnew\d*$' THEN 'copy of a REINDEX cut short: drop it'
           WHEN class.relname ~ '_ccold\d*$' THEN 'replaced by a REINDEX: drop it'
           ELSE 'build or drop cut short: drop it or REINDEX'
       END AS verdict
FROM pg_index AS index
JOIN pg_class AS class ON class.oid = index.indexrelid
LEFT JOIN LATERAL (
    SELECT progress.pid
    FROM pg_stat_progress_create_index AS progress
    WHERE progress.datname = current_database()
      AND progress.index_relid = index.indexrelid
    UNION
    SELECT lock.pid
    FROM pg_locks AS lock
    JOIN pg_database AS current ON current.oid = lock.database
    WHERE current.datname = current_database()
      AND lock.relation = index.indexrelid
      AND lock.mode IN ('ShareUpdateExclusiveLock', 'AccessExclusiveLock')
    LIMIT 1
) AS worker ON true
WHERE NOT (index.indisvalid AND index.indisready AND index.indislive)
ORDER BY index.indrelid::regclass::text, class.relname;
