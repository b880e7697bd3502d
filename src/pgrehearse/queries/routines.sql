-- Functions and procedures whose text can be read: number, name, language, text.
SELECT p.oid::pg_catalog.int8, p.proname, l.lanname,
       coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc)
  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
 WHERE p.oid >= 16384 AND l.lanname NOT IN ('c', 'internal') AND p.proname <> 'pgrehearse_note'
