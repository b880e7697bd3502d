-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items RENAME account_id TO owner_id; -- red: breaking

-- migrate:down

SELECT 1;
