-- Sessions of this database that wait for a lock: pid, user, application, for how long, mode, relation, the first
-- words of the statement, and for whom.
SELECT a.pid, coalesce(a.usename, '')::pg_catalog.text, coalesce(a.application_name, ''),
       coalesce(pg_catalog.clock_timestamp() - w.since, '0'::pg_catalog.interval), w.mode, coalesce(w.relation, ''),
       coalesce(substring(a.query FROM '^[[:space:]]*([A-Za-z]+([[:space:]]+[A-Z]+){0,3})'), ''),
       pg_catalog.pg_blocking_pids(a.pid)
  FROM (SELECT l.pid, pg_catalog.min(l.waitstart) AS since, pg_catalog.max(l.mode) AS mode,
               pg_catalog.max(pg_catalog.format('%I.%I', n.nspname, c.relname)) FILTER (WHERE c.oid IS NOT NULL) AS relation
          FROM pg_catalog.pg_locks AS l
          LEFT JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND l.database = (
               SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
          LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE NOT l.granted GROUP BY l.pid) AS w
  JOIN pg_catalog.pg_stat_activity AS a USING (pid)
 WHERE a.datname = pg_catalog.current_database()
 ORDER BY w.since
 LIMIT 100
