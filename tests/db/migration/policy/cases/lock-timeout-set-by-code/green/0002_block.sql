-- migrate:up

SET LOCAL lock_timeout = '2s';
DO $$ BEGIN PERFORM set_config('lock_timeout', '1s', true); END $$;
ALTER TABLE items ADD seen int;

-- migrate:down

SELECT 1;
