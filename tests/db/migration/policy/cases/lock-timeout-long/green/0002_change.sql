-- migrate:up

SELECT set_config('lock_timeout', '3s', true);
ALTER TABLE items ADD COLUMN gone timestamptz;

-- migrate:down

SELECT 1;
