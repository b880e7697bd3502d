-- Whether a database has anything left over, plainly: any constraint, index or trigger that does not hold; any
-- helper trigger of a runbook; any run of one. Most have nothing, and a session that knows no catalog yet pays
-- twenty times as much for what it is. NOT ENFORCED is NOT VALID as well.
SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE NOT k.convalidated)
       OR EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE NOT (i.indisvalid AND i.indisready AND i.indislive))
       OR EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgenabled IN ('D', 'R') AND NOT g.tgisinternal),
       EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgname ~ '^zz_.*_(sync|split)$'),
       pg_catalog.to_regclass('pgrehearse.run') IS NOT NULL
