-- Transactions of this database that are open for longer than is taken: pid, name, user, state, for how long.
-- A concurrent build waits for each that could see its table before; prepared ones hold their locks for ever.
-- Of sessions the function below pg_stat_activity, a third of its price in a new session.
SELECT a.pid, ''::pg_catalog.text, coalesce(pg_catalog.pg_get_userbyid(a.usesysid), '')::pg_catalog.text, a.state,
       pg_catalog.clock_timestamp() - a.xact_start AS open
  FROM pg_catalog.pg_stat_get_activity(NULL) AS a
 WHERE a.datid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
   AND a.backend_type = 'client backend'
   AND a.xact_start < pg_catalog.clock_timestamp() - %(old)s::pg_catalog.interval
UNION ALL
SELECT NULL, p.gid, p.owner::pg_catalog.text, 'prepared', pg_catalog.clock_timestamp() - p.prepared
  FROM pg_catalog.pg_prepared_xacts AS p
 WHERE p.database = pg_catalog.current_database()
   AND p.prepared < pg_catalog.clock_timestamp() - %(old)s::pg_catalog.interval
 ORDER BY open DESC
 LIMIT 100
