-- migrate:up

SET LOCAL lock_timeout='2s'; ALTER TABLE items ADD COLUMN size text;

-- migrate:down

SELECT 1;
