-- The server of a session: version, database, role, whether it is a standby, how far that is behind or the
-- furthest of its standbys, how many stream from it, whether a standby receives anything, and whether the role
-- may see what others do. A standby that replayed all it received is not behind, however long ago that was; what
-- it last reported to its primary may be from before. The functions below the views pg_stat_replication and
-- pg_stat_wal_receiver, because the views join others that nothing is taken from: half the price in a new session.
SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_database()::pg_catalog.text,
       session_user::pg_catalog.text, r.standby,
       CASE WHEN r.standby THEN
           CASE WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn()
               THEN '0'::pg_catalog.interval
               ELSE pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp() END
       ELSE (SELECT pg_catalog.max(p.replay_lag) FROM pg_catalog.pg_stat_get_wal_senders() AS p
              WHERE p.replay_lsn < pg_catalog.pg_current_wal_lsn()) END,
       (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_stat_get_wal_senders()),
       EXISTS (SELECT FROM pg_catalog.pg_stat_get_wal_receiver() AS p WHERE p.pid IS NOT NULL),
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
  FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) AS r
