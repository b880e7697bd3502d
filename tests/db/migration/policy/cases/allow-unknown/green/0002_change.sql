-- migrate:up

SET LOCAL lock_timeout = '2s';

-- allow: rewrite Forty rows.
ALTER TABLE items ADD COLUMN token uuid DEFAULT gen_random_uuid();

-- migrate:down

SELECT 1;
