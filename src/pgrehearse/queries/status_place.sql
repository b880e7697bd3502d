-- Where a database is, so that a backup can be told from one of another: system identifier and timeline of the
-- server, name of the database. A standby replays the timeline of its last checkpoint.
SELECT s.system_identifier::pg_catalog.text,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN c.timeline_id
            ELSE ('x' || pg_catalog.lpad(pg_catalog.left(pg_catalog.pg_walfile_name(
                pg_catalog.pg_current_wal_lsn()), 8), 8, '0'))::bit(32)::int END,
       pg_catalog.current_database()::pg_catalog.text, pg_catalog.clock_timestamp()
  FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_control_checkpoint() AS c
