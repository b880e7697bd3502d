-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items RENAME CONSTRAINT items_pkey TO items_primary_key;

-- migrate:down

SELECT 1;
