-- Transactions of this database that are open for longer than is taken: pid, name, user, state, for how long.
-- A concurrent build waits for each that could see its table before; prepared ones hold their locks for ever.
SELECT a.pid, ''::pg_catalog.text, coalesce(a.usename, '')::pg_catalog.text, a.state,
       pg_catalog.clock_timestamp() - a.xact_start AS open
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = pg_catalog.current_database() AND a.backend_type = 'client backend'
   AND a.xact_start < pg_catalog.clock_timestamp() - %(old)s::pg_catalog.interval
UNION ALL
SELECT NULL, p.gid, p.owner::pg_catalog.text, 'prepared', pg_catalog.clock_timestamp() - p.prepared
  FROM pg_catalog.pg_prepared_xacts AS p
 WHERE p.database = pg_catalog.current_database()
   AND p.prepared < pg_catalog.clock_timestamp() - %(old)s::pg_catalog.interval
 ORDER BY open DESC
 LIMIT 100
