-- Who holds a lock on the table, and who stands in line behind them, in which order?
-- Ask as a member of pg_monitor: other users' sessions are hidden from the rest.
SELECT row_number() OVER queue AS pos,
       CASE WHEN lock.granted THEN 'holds' ELSE 'waits' END AS lock,
       replace(lock.mode, 'Lock', '') AS mode,
       lock.pid,
       round(extract(epoch FROM clock_timestamp() - lock.waitstart)::numeric, 1) AS wait_secs,
       round(extract(epoch FROM clock_timestamp() - session.xact_start)::numeric, 1) AS tx_secs,
       CASE WHEN lock.pid IS NULL THEN 'prepared transaction' ELSE session.state END AS state,
       coalesce('gid ' || prepared.gid,
                left(regexp_replace(session.query, '\s+', ' ', 'g'), 40)) AS last_query
FROM pg_locks AS lock
JOIN pg_database AS current ON current.datname = current_database()
LEFT JOIN pg_stat_activity AS session ON session.pid = lock.pid
LEFT JOIN (
    SELECT own.virtualtransaction, xact.gid
    FROM pg_locks AS own
    JOIN pg_prepared_xacts AS xact ON xact.transaction = own.transactionid
    WHERE own.pid IS NULL
) AS prepared ON lock.pid IS NULL AND prepared.virtualtransaction = lock.virtualtransaction
WHERE lock.locktype = 'relation'
  AND lock.relation = :'table'::regclass
  AND lock.database IN (0, current.oid)
WINDOW queue AS (
    ORDER BY lock.granted DESC,
             CASE WHEN lock.granted THEN session.xact_start ELSE lock.waitstart END NULLS LAST,
             lock.pid, lock.mode
)
ORDER BY pos;
