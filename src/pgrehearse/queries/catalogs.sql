-- One query that says of each catalog of a database how many rows it has, and which transactions wrote them.
SELECT pg_catalog.string_agg(pg_catalog.format(
           'SELECT %L, pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM %s',
           c.relname, c.oid::pg_catalog.regclass), ' UNION ALL ')
  FROM pg_catalog.pg_class AS c
 WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND c.relkind = 'r' AND NOT c.relisshared
   AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data', 'pg_largeobject')
