-- migrate:up

set local/* why */lock_timeout='2s';
ALTER TABLE items ADD COLUMN gone timestamptz;

-- migrate:down

SELECT 1;
