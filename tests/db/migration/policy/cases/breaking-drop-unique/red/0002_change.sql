-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE items DROP CONSTRAINT items_pkey; -- red: breaking

-- migrate:down

SELECT 1;
