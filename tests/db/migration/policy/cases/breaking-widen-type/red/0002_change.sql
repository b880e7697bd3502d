-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ALTER COLUMN note TYPE text; -- red: breaking

-- migrate:down

SELECT 1;
