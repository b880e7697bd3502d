-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items DROP COLUMN note; -- red: breaking

-- migrate:down

SELECT 1;
