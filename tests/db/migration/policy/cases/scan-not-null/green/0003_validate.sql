-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items VALIDATE CONSTRAINT items_price_set;

-- migrate:down

SELECT 1;
