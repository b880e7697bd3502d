-- migrate:up

ALTER TABLE items ADD COLUMN gone timestamptz; -- red: lock-timeout
SET LOCAL lock_timeout = '2s';

-- migrate:down

SELECT 1;
