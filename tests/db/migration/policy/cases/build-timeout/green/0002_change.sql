-- migrate:up transaction:false

SET lock_timeout = 0;
-- allow: one-statement Only pgrehearse db up applies this file.
-- The price filter.
CREATE INDEX CONCURRENTLY items_price_idx ON items (price);

-- migrate:down

SELECT 1;
