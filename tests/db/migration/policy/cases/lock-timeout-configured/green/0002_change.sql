-- migrate:up

SELECT pg_catalog."set_config"('Lock_Timeout', '2s', 'on') AS limit_of_waits;
ALTER TABLE items ADD COLUMN gone timestamptz;

-- migrate:down

SELECT 1;
