-- Sessions that others wait for: pid, user, application, state, for how long its transaction is open, and the
-- first words of its last statement. Takes: their pids. Prepared transactions have none, and stand as 0.
SELECT a.pid, coalesce(a.usename, '')::pg_catalog.text, coalesce(a.application_name, ''),
       coalesce(a.state, 'its state may not be seen'), pg_catalog.clock_timestamp() - a.xact_start,
       coalesce(substring(a.query FROM '^[[:space:]]*([A-Za-z]+([[:space:]]+[A-Z]+){0,3})'), '')
  FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = ANY (%s::int[])
 ORDER BY a.pid
