-- migrate:up

SET lock_timeout = '2s'; -- red: lock-timeout
ALTER TABLE items ADD COLUMN gone timestamptz;

-- migrate:down

SELECT 1;
