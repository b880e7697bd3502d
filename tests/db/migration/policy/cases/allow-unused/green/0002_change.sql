-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ADD COLUMN token uuid;

-- migrate:down

SELECT 1;
