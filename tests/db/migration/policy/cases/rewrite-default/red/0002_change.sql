-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ADD COLUMN token uuid DEFAULT gen_random_uuid(); -- red: rewrite

-- migrate:down

SELECT 1;
