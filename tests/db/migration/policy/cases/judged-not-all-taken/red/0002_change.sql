-- migrate:up

SET LOCAL lock_timeout = '2s';
DO $$ BEGIN ALTER TABLE items ADD a int; IF current_database() = 'prod' THEN ALTER TABLE items ALTER price TYPE bigint; END IF; END $$; -- red: judged
DO $$ -- red: judged
BEGIN
  FOR n IN 1..3 LOOP
    EXECUTE format('ALTER TABLE items ADD n%s int', n);
  END LOOP;
  IF current_setting('app.step', true) = '2' THEN
    EXECUTE 'ALTER TABLE items ALTER price TYPE bigint';
  END IF;
END $$;
DO $$ -- red: judged
BEGIN
  ALTER TABLE items ADD b int;
  IF now() > '2100-01-01' THEN TRUNCATE items; END IF;
END $$;
DO $$ -- red: judged
BEGIN
  EXECUTE 'ALTER TABLE items ADD c int';
  IF current_setting('server_version_num')::int < 100000 THEN EXECUTE current_setting('app.step'); END IF;
END $$;
DO $$ BEGIN IF session_user = 'prod' THEN ALTER /* a comment */ TABLE items ADD d int; END IF; END $$; -- red: judged
DO E'BEGIN IF session_user = ''prod'' THEN ALTER\tTABLE items ADD d int; END IF; END'; -- red: judged

-- migrate:down

SELECT 1;
