-- migrate:up

UPDATE pg_class SET reloptions = '{fillfactor=90}' WHERE oid = 'items'::regclass; -- red: judged
DELETE FROM "pg_catalog"."pg_description" WHERE objoid = 'items_pkey'::regclass; -- red: judged
DO $$ BEGIN UPDATE pg_proc SET procost = 7 WHERE proname = 'none'; END $$; -- red: judged
CREATE FUNCTION cheaper() RETURNS void LANGUAGE sql AS 'UPDATE pg_proc SET procost = 7 WHERE false';
SELECT cheaper(); -- red: judged
DROP FUNCTION cheaper();

-- migrate:down

SELECT 1;
