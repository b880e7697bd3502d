-- How old the oldest row of this database is, in transactions; where vacuum is forced; how many vacuums against
-- wraparound run now.
SELECT greatest(pg_catalog.age(d.datfrozenxid), pg_catalog.mxid_age(d.datminmxid)),
       least(pg_catalog.current_setting('autovacuum_freeze_max_age')::int,
             pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::int),
       (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_stat_get_activity(NULL) AS a
         WHERE a.datid = d.oid AND a.backend_type = 'autovacuum worker'
           AND a.query ~ 'to prevent wraparound')
  FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
