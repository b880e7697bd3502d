-- Who may still see old rows, so that VACUUM frees nothing: the oldest first. It only looks.
-- Ask as a member of pg_monitor: without it, what sessions of other roles do is hidden.
SELECT holder, xids, tx_secs, cure
FROM (
    SELECT CASE WHEN backend_type = 'walsender' AND query LIKE 'COPY %' THEN 'copy for a subscriber, pid ' || pid
                WHEN backend_type = 'walsender' THEN 'standby ' || application_name
                ELSE 'session ' || pid END AS holder,
           greatest(age(backend_xid), age(backend_xmin)) AS xids,
           round(extract(epoch FROM clock_timestamp() - xact_start)) AS tx_secs,
           CASE WHEN backend_type IS NULL THEN 'hidden: ask a member of pg_monitor'
                WHEN backend_type = 'walsender' AND query LIKE 'COPY %' THEN 'its first copy of a table: let it end'
                WHEN backend_type = 'walsender' THEN 'end the old query on the standby'
                WHEN state LIKE 'idle in transaction%' THEN format('SELECT pg_terminate_backend(%s)', pid)
                ELSE format('it works: SELECT pg_cancel_backend(%s)', pid) END AS cure
    FROM pg_stat_activity
    WHERE (datname = current_database() OR datname IS NULL) AND pid <> pg_backend_pid()
      AND coalesce(leader_pid, pid) NOT IN (SELECT pid FROM pg_stat_progress_vacuum)  -- keeps none from another VACUUM
    UNION ALL
    SELECT 'slot ' || slot_name, greatest(age(xmin), age(catalog_xmin)), NULL,
           CASE WHEN xmin IS NULL THEN 'keeps rows of catalogs only' WHEN active THEN 'end the old query of its reader'
                ELSE format('nobody reads it: SELECT pg_drop_replication_slot(%L)', slot_name) END
    FROM pg_replication_slots
    UNION ALL
    SELECT 'prepared ' || gid, age(transaction), round(extract(epoch FROM clock_timestamp() - prepared)),
           format('ROLLBACK PREPARED %L', gid)
    FROM pg_prepared_xacts WHERE database = current_database()
) AS holders
WHERE xids IS NOT NULL
ORDER BY xids DESC, holder
LIMIT 5;
