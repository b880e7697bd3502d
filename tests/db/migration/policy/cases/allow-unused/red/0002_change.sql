-- migrate:up

SET LOCAL lock_timeout = '2s';

-- allow: rewrite Forty rows. -- red: rewrite
ALTER TABLE items ADD COLUMN token uuid;

-- migrate:down

SELECT 1;
