-- How far are the index builds of this database, and whom do they wait for?
-- Ask as a member of pg_monitor: other users' sessions are hidden from the rest.
SELECT progress.pid,
       progress.relid::regclass AS "table",
       coalesce(nullif(progress.index_relid, 0)::regclass::text, '(new)') AS index,
       progress.phase,
       round(100.0 * work.done / nullif(work.total, 0), 1) AS pct,
       nullif(progress.current_locker_pid, 0) AS waits_for,
       progress.partitions_done || '/' || nullif(progress.partitions_total, 0) AS parts,
       round(extract(epoch FROM clock_timestamp() - session.query_start)::numeric, 1) AS secs
FROM pg_stat_progress_create_index AS progress
JOIN pg_stat_activity AS session ON session.pid = progress.pid
CROSS JOIN LATERAL (
    SELECT CASE
               WHEN progress.phase LIKE 'waiting%' THEN progress.lockers_done
               WHEN progress.phase LIKE '%loading tuples%' THEN progress.tuples_done
               WHEN progress.phase LIKE '%scanning%' THEN progress.blocks_done
           END,
           CASE
               WHEN progress.phase LIKE 'waiting%' THEN progress.lockers_total
               WHEN progress.phase LIKE '%loading tuples%' THEN progress.tuples_total
               WHEN progress.phase LIKE '%scanning%' THEN progress.blocks_total
           END
) AS work (done, total)
WHERE progress.datname = current_database()
ORDER BY session.query_start, progress.pid;
