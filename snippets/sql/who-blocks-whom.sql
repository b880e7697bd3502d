-- Who waits for a lock, and who is in the way? One line per pair, longest wait first.
-- Ask as a member of pg_monitor: other users' sessions are hidden from the rest.
SELECT waiter.pid,
       round(extract(epoch FROM clock_timestamp() - lock.waitstart)::numeric, 1) AS secs,
       replace(lock.mode, 'Lock', '') AS wants,
       CASE
           WHEN lock.locktype = 'virtualxid' THEN 'end of ' || lock.virtualxid
           WHEN lock.locktype = 'transactionid' THEN 'end of ' || lock.transactionid
           WHEN lock.relation IS NULL THEN lock.locktype
           WHEN lock.database NOT IN (0, current.oid) THEN 'another database'
           ELSE CASE WHEN lock.locktype = 'relation' THEN '' ELSE lock.locktype || ' of ' END
                || lock.relation::regclass
       END AS "on",
       left(regexp_replace(waiter.query, '\s+', ' ', 'g'), 30) AS query,
       holder.pid AS blocker,
       CASE
           WHEN holder.pid = 0 THEN 'prepared transaction'
           WHEN cardinality(pg_blocking_pids(holder.pid)) > 0 THEN 'waits itself'
           ELSE blocker.state
       END AS blocker_is,
       round(extract(epoch FROM clock_timestamp() - blocker.xact_start)::numeric, 1) AS tx_secs,
       left(regexp_replace(blocker.query, '\s+', ' ', 'g'), 30) AS last_query
FROM pg_locks AS lock
JOIN pg_stat_activity AS waiter ON waiter.pid = lock.pid
JOIN pg_database AS current ON current.datname = current_database()
CROSS JOIN LATERAL (SELECT DISTINCT unnest(pg_blocking_pids(lock.pid)) AS pid) AS holder
LEFT JOIN pg_stat_activity AS blocker ON blocker.pid = holder.pid
WHERE NOT lock.granted
ORDER BY lock.waitstart, waiter.pid, holder.pid;
