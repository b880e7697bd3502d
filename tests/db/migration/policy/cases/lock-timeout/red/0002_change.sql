-- migrate:up

ALTER TABLE items ADD COLUMN gone timestamptz; -- red: lock-timeout

-- migrate:down

SELECT 1;
