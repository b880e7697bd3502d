-- migrate:up

SET LOCAL lock_timeout = '2s';
DO $$ BEGIN PERFORM set_config('lock_timeout', '0', true); END $$;
ALTER TABLE items ADD seen int; -- red: lock-timeout

-- migrate:down

SELECT 1;
