-- Which transactions would CREATE INDEX CONCURRENTLY wait for in this database? Oldest first.
-- Ask as a member of pg_monitor: other users' sessions are hidden from the rest.
WITH locked AS (
    -- Tables written to, or locked more strongly: only builds on these tables wait.
    SELECT lock.pid, lock.virtualtransaction,
           string_agg(DISTINCT class.oid::regclass::text, ', ') AS tables
    FROM pg_locks AS lock
    JOIN pg_database AS current ON current.oid = lock.database
    JOIN pg_class AS class ON class.oid = lock.relation AND class.relkind IN ('r', 'm')
    WHERE current.datname = current_database()
      AND lock.granted
      AND lock.mode NOT IN ('AccessShareLock', 'RowShareLock')
      AND class.relnamespace <> 'pg_catalog'::regnamespace
    GROUP BY 1, 2
), holder AS (
    -- A snapshot: every build waits. VACUUM and plain concurrent builds are spared.
    SELECT session.pid,
           session.backend_xmin IS NOT NULL
               AND vacuum.pid IS NULL
               AND session.backend_type IS DISTINCT FROM 'autovacuum worker'
               AND NOT (coalesce(build.command, '') LIKE '%CONCURRENTLY'
                        AND index.indpred IS NULL AND index.indexprs IS NULL) AS snapshot,
           session.backend_type IS NULL AS hidden,
           locked.tables,
           session.xact_start AS since,
           session.state,
           nullif(session.application_name, '') AS app,
           left(regexp_replace(session.query, '\s+', ' ', 'g'), 40) AS last_query
    FROM pg_stat_activity AS session
    LEFT JOIN locked ON locked.pid = session.pid
    LEFT JOIN pg_stat_progress_vacuum AS vacuum ON vacuum.pid = session.pid
    LEFT JOIN pg_stat_progress_create_index AS build ON build.pid = session.pid
    LEFT JOIN pg_index AS index ON index.indexrelid = build.index_relid
    WHERE session.datname = current_database()
      AND session.pid <> pg_backend_pid()
      AND session.backend_type IS DISTINCT FROM 'parallel worker'
    UNION ALL
    SELECT NULL, false, false, locked.tables, xact.prepared, 'prepared transaction', NULL,
           'gid ' || xact.gid
    FROM pg_prepared_xacts AS xact
    JOIN pg_locks AS own ON own.transactionid = xact.transaction AND own.pid IS NULL
    JOIN locked ON locked.pid IS NULL AND locked.virtualtransaction = own.virtualtransaction
    WHERE xact.database = current_database()
)
SELECT pid,
       CASE
           WHEN hidden THEN 'unknown: ask as pg_monitor'
           WHEN snapshot THEN 'every build'
           ELSE 'builds on ' || tables
       END AS who_waits,
       round(extract(epoch FROM clock_timestamp() - since)::numeric, 1) AS secs,
       state,
       app,
       last_query
FROM holder
WHERE snapshot OR hidden OR tables IS NOT NULL
ORDER BY since, pid;
