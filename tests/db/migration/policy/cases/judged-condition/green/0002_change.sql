-- migrate:up

SET LOCAL lock_timeout = '2s';
UPDATE items SET note = 'x' WHERE id = 1 AND current_database() <> 'prod';
UPDATE items SET note = 'x' WHERE id = -1 AND note = lower('X');
INSERT INTO accounts (email) SELECT 'x' WHERE false;
INSERT INTO accounts (email) SELECT 'x' WHERE (SELECT count(*) FROM items) > 0;
-- allow: backfill It is one row.
DO $$ BEGIN IF current_database() <> 'prod' THEN UPDATE items SET note = 'y' WHERE id = 1; END IF; END $$;
-- allow: judged Forty rows at most, counted on production.
UPDATE items SET note = 'x' WHERE current_database() = 'prod';

-- migrate:down

SELECT 1;
