-- migrate:up

SET LOCAL lock_timeout = '2s';
DO $$ BEGIN IF (SELECT count(*) FROM items) > 1000000 THEN ALTER TABLE items ALTER price TYPE bigint; END IF; END $$; -- red: judged
DO $$ BEGIN IF current_database() = 'prod' THEN EXECUTE format('CREATE INDEX %I ON items (note)', 'i'); END IF; END $$; -- red: judged
DO $$ BEGIN ALTER TABLE items ALTER price TYPE bigint; RAISE EXCEPTION 'x'; EXCEPTION WHEN OTHERS THEN NULL; END $$; -- red: judged

-- migrate:down

SELECT 1;
