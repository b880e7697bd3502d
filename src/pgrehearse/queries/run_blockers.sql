-- Who keeps the session {pid} waiting for a lock. Of sessions of other roles, a role without pg_read_all_stats
-- sees no more than pid, user and application.
SELECT b.pid, s.usename, s.application_name, s.backend_type IS NOT NULL AS seen, s.state,
       extract(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) s.xact_start)::pg_catalog.float8 AS age,
       s.query
  FROM pg_catalog.pg_stat_activity AS w
 CROSS JOIN LATERAL (SELECT DISTINCT u.pid FROM pg_catalog.unnest(
           CASE WHEN w.wait_event_type OPERATOR(pg_catalog.=) 'Lock' THEN pg_catalog.pg_blocking_pids(w.pid) END
       ) AS u (pid)) AS b
  LEFT JOIN pg_catalog.pg_stat_activity AS s ON s.pid OPERATOR(pg_catalog.=) b.pid
 WHERE w.pid OPERATOR(pg_catalog.=) {pid}
 ORDER BY s.xact_start, b.pid
