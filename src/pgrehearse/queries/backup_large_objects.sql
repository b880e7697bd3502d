-- Large objects of the application: receipts of runbooks are none.
SELECT pg_catalog.count(*)
  FROM pg_catalog.pg_largeobject_metadata AS l
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_description AS d
                    WHERE d.classoid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass AND d.objoid = l.oid
                          AND pg_catalog.starts_with(d.description, 'pgrehearse receipt '))
