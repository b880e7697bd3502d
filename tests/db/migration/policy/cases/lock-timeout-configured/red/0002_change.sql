-- migrate:up

SELECT pg_catalog.set_config('lock_timeout', '2s', false); -- red: lock-timeout
ALTER TABLE items ADD COLUMN gone timestamptz;

-- migrate:down

SELECT 1;
