-- Whether anybody on this server holds a lock of migrations ({runner}) or of runbooks ({runs}), and whether
-- anybody waits. Mostly nobody does, and who it is costs ten times as much.
SELECT coalesce(pg_catalog.bool_or(l.granted AND l.locktype = 'advisory' AND l.classid IN ({runner}, {runs})), false),
       coalesce(pg_catalog.bool_or(NOT l.granted), false)
  FROM pg_catalog.pg_locks AS l
