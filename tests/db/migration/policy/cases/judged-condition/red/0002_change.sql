-- migrate:up

SET LOCAL lock_timeout = '2s';
UPDATE items SET note = 'x' WHERE current_database() = 'prod'; -- red: judged
UPDATE items SET note = 'x' WHERE current_user = 'deploy'; -- red: judged
DELETE FROM items WHERE now() > '2100-01-01'; -- red: judged
WITH changed AS (UPDATE items SET note = 'x' WHERE current_setting('app.step', true) = '2' RETURNING id) SELECT count(*) FROM changed; -- red: judged
INSERT INTO accounts (email) SELECT 'x' FROM items WHERE (SELECT count(*) FROM items) > 1000000; -- red: judged
DO $$ BEGIN IF (SELECT count(*) FROM items) > 1000000 THEN UPDATE items SET note = 'x'; END IF; END $$; -- red: judged

-- migrate:down

SELECT 1;
