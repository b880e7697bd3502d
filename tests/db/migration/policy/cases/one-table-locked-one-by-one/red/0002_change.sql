-- migrate:up

SET LOCAL lock_timeout = '2s';

LOCK TABLE accounts, items; -- red: one-table
ALTER TABLE items ADD COLUMN gone timestamptz;
ALTER TABLE accounts ADD COLUMN gone timestamptz;

-- migrate:down

SELECT 1;
