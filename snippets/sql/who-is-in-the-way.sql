-- Who makes others wait for a lock, whoever blocks most first, and the statement that would end it.
-- It only looks. Without pg_monitor a session of another role is "hidden": its pid,
-- its role and its locks are not.
WITH RECURSIVE waiting AS (
    SELECT DISTINCT pid FROM pg_locks WHERE NOT granted
), edge AS (
    SELECT pid AS waiter, unnest(pg_blocking_pids(pid)) AS blocker FROM waiting
), behind AS (
    SELECT blocker AS pid, waiter FROM edge
    UNION
    SELECT behind.pid, edge.waiter FROM behind JOIN edge ON edge.blocker = behind.waiter
), seen AS (
    SELECT behind.pid, count(DISTINCT behind.waiter) AS behind, session.xact_start,
           CASE WHEN session.backend_type IS NULL THEN 'of role ' || session.usename ELSE session.query END AS query,
           CASE
               WHEN behind.pid = 0 THEN 'prepared transaction'
               WHEN session.query LIKE 'autovacuum:%(to prevent wraparound)' THEN 'autovacuum against wraparound'
               WHEN session.backend_type = 'autovacuum worker' THEN 'autovacuum'
               WHEN session.backend_type = 'startup' THEN 'replay'
               WHEN session.backend_type ~ '^logical replication.* worker$' THEN 'applies a subscription'
               WHEN session.backend_type IS NULL AND session.usesysid IS NULL AND session.pid > 0 THEN 'server process'
               WHEN behind.pid IN (SELECT pid FROM waiting) THEN 'waits itself'
               WHEN session.backend_type IS NULL THEN 'hidden'
               WHEN session.application_name = 'pg_dump' OR session.backend_type = 'walsender' THEN 'a dump'
               WHEN session.state LIKE 'idle in transaction%' THEN 'idle in transaction'
               WHEN session.state = 'idle' THEN 'idle, with a lock'
               ELSE 'runs a statement'
           END AS kind
    FROM behind LEFT JOIN pg_stat_activity AS session ON session.pid = behind.pid
    GROUP BY behind.pid, session.pid, session.xact_start, session.query, session.backend_type,
             session.state, session.application_name, session.usename, session.usesysid
)
SELECT pid, behind, kind,
       CASE
           WHEN kind = 'prepared transaction' THEN 'ROLLBACK PREPARED: see pg_prepared_xacts'
           WHEN kind IN ('idle in transaction', 'idle, with a lock', 'applies a subscription')
               THEN format('SELECT pg_terminate_backend(%s)', pid)
           WHEN kind IN ('waits itself', 'runs a statement') THEN format('SELECT pg_cancel_backend(%s)', pid)
           WHEN kind = 'autovacuum' THEN 'it yields after deadlock_timeout'
           WHEN kind = 'replay' THEN 'end the change on the primary'
           WHEN kind = 'hidden' THEN 'ask as its role, or with pg_monitor'
           ELSE 'let it end; cancel who waits behind it'
       END AS cure,
       round(extract(epoch FROM clock_timestamp() - xact_start)) AS tx_secs,
       left(regexp_replace(query, '\s+', ' ', 'g'), 34) AS last_query
FROM seen
ORDER BY behind DESC, pid;
