-- migrate:up

SET LOCAL lock_timeout = '2s';
SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'lock_timeout';
ALTER TABLE items ADD seen3 int; -- red: lock-timeout

-- migrate:down

SELECT 1;
