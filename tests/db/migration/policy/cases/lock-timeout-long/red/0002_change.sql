-- migrate:up

SET LOCAL lock_timeout = '5min';
ALTER TABLE items ADD COLUMN gone timestamptz; -- red: lock-timeout

-- migrate:down

SELECT 1;
