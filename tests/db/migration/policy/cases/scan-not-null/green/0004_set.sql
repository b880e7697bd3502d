-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ALTER COLUMN price SET NOT NULL;
ALTER TABLE items DROP CONSTRAINT items_price_set;

-- migrate:down

SELECT 1;
