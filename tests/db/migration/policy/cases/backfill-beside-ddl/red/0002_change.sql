-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ADD COLUMN gone timestamptz;
UPDATE items SET gone = now() WHERE price > 10; -- red: backfill

-- migrate:down

SELECT 1;
