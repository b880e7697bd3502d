-- migrate:up

SET LOCAL lock_timeout = '2s';
DO $$ BEGIN ALTER TABLE items ADD a int; IF current_database() <> 'prod' THEN ALTER TABLE items ADD b int; END IF; END $$;
DO $$
DECLARE
  statement text;
BEGIN
  FOR n IN 1..3 LOOP
    statement := format('ALTER TABLE items ADD n%s int', n);
    EXECUTE statement;
  END LOOP;
  LOCK TABLE items IN SHARE MODE; -- the LOCK is seen by what it locks
END $$;

-- migrate:down

SELECT 1;
