-- What the backend waits for, and how far its statement is: when, for how many seconds it has waited for a lock
-- (NULL: it does not wait; 0 also where PostgreSQL has not written down yet since when), then texts of which the first that is not NULL is said. Not every statement has a view of its progress; then WAL has to do.
-- Takes: where the WAL was, the backend.
SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()),
       CASE WHEN a.wait_event_type = 'Lock' THEN coalesce((
           SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.min(l.waitstart))
             FROM pg_catalog.pg_locks AS l WHERE l.pid = a.pid AND NOT l.granted), 0) END,
       CASE WHEN a.wait_event_type = 'Lock' THEN (
           SELECT 'waiting for a lock held by pid ' || pg_catalog.string_agg(DISTINCT pid::pg_catalog.text,
               ', ')
             FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(a.pid)) AS pid) END,
       (SELECT phase || CASE
                   WHEN current_locker_pid > 0 THEN pg_catalog.format(': pid %%s', current_locker_pid)
                   WHEN blocks_total > 0 THEN pg_catalog.format(': %%s of %%s blocks', blocks_done,
                       blocks_total)
                   WHEN tuples_total > 0 THEN pg_catalog.format(': %%s of %%s rows', tuples_done,
                       tuples_total)
                   ELSE '' END
          FROM pg_catalog.pg_stat_progress_create_index WHERE pid = a.pid),
       (SELECT pg_catalog.format('%%s: %%s of %%s blocks', phase, heap_blks_scanned, heap_blks_total)
          FROM pg_catalog.pg_stat_progress_vacuum WHERE pid = a.pid),
       (SELECT pg_catalog.format('%%s: %%s rows, %%s of %%s blocks', phase, heap_tuples_scanned,
           heap_blks_scanned,
                      heap_blks_total)
          FROM pg_catalog.pg_stat_progress_cluster WHERE pid = a.pid),
       (SELECT pg_catalog.format('%%s: %%s of %%s blocks', phase, sample_blks_scanned, sample_blks_total)
          FROM pg_catalog.pg_stat_progress_analyze WHERE pid = a.pid),
       (SELECT pg_catalog.format('copying: %%s rows', tuples_processed)
          FROM pg_catalog.pg_stat_progress_copy WHERE pid = a.pid),
       pg_catalog.format('at work, %%s of WAL by the whole server so far',
              pg_catalog.pg_size_pretty(pg_catalog.pg_current_wal_insert_lsn() - %s::pg_catalog.pg_lsn))
  FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = %s
