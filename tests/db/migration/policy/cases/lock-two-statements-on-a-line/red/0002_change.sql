-- migrate:up

SET LOCAL statement_timeout = '5s'; ALTER TABLE items ADD COLUMN size text; -- red: lock-timeout

-- migrate:down

SELECT 1;
