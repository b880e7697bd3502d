-- migrate:up

SET LOCAL lock_timeout = '2s';
UPDATE pg_settings SET setting = '0' WHERE name = 'lock_timeout';
ALTER TABLE items ADD seen4 int; -- red: lock-timeout

-- migrate:down

SELECT 1;
