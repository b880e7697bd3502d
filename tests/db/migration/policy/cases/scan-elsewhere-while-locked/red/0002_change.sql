-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ADD COLUMN size text;
SELECT count(*) FROM accounts; -- red: scan

-- migrate:down

SELECT 1;
