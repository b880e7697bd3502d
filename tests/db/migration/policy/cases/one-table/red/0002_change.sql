-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ADD COLUMN gone timestamptz;
ALTER TABLE accounts ADD COLUMN gone timestamptz; -- red: one-table

-- migrate:down

SELECT 1;
