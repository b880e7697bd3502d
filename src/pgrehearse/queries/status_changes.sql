-- Sessions that change this database by a migration or a runbook, by the locks they hold: what it is, pid, user,
-- application, for how long its statement runs, and the first words of that. {runner} and {migrations} are the
-- lock of the runner of migrations, {runs} the class of those of runbooks.
SELECT CASE l.classid WHEN {runner} THEN 'migration' ELSE 'runbook' END, a.pid, coalesce(a.usename, '')::pg_catalog.text,
       coalesce(a.application_name, ''), CASE a.state WHEN 'active' THEN pg_catalog.clock_timestamp() - a.query_start END,
       coalesce(substring(a.query FROM '^[[:space:]]*([A-Za-z]+([[:space:]]+[A-Z]+){0,3})'), '')
  FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
   AND (l.classid = {runner} AND l.objid = {migrations} AND l.mode = 'ExclusiveLock' OR l.classid = {runs})
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                      WHERE d.datname = pg_catalog.current_database())
 ORDER BY a.pid
