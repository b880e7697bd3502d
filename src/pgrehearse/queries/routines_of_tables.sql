-- Functions by which triggers, rules, defaults, policies and constraints of a table may do something when its
-- rows are written, for the tables whose rows this transaction writes: name of the table, function.
SELECT DISTINCT c.relname, u.refobjid::pg_catalog.int8
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
  JOIN pg_catalog.pg_depend AS d
    ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = l.relation
  JOIN pg_catalog.pg_depend AS u
    ON u.classid = d.classid AND u.objid = d.objid
   AND u.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
 WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'RowExclusiveLock'
   AND l.relation >= 16384
