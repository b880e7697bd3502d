-- Replication slots that nobody reads, and how many bytes of WAL stay for each; NULL: what it needs is gone.
SELECT s.slot_name::pg_catalog.text,
       CASE WHEN s.restart_lsn IS NULL AND s.wal_status IS NOT DISTINCT FROM 'lost' THEN NULL
            ELSE coalesce(pg_catalog.pg_wal_lsn_diff(
                CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                     ELSE pg_catalog.pg_current_wal_insert_lsn() END, s.restart_lsn), 0)::bigint END
  FROM pg_catalog.pg_replication_slots AS s
 WHERE NOT s.active AND NOT s.temporary
 ORDER BY 1
