-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE accounts ADD COLUMN gone timestamptz;

-- migrate:down

SELECT 1;
