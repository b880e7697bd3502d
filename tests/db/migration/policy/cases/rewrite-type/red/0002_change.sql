-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ALTER COLUMN price TYPE bigint; -- red: rewrite breaking

-- migrate:down

SELECT 1;
