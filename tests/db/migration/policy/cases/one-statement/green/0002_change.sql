-- migrate:up transaction:false

-- The price filter.
CREATE INDEX CONCURRENTLY items_price_idx ON items (price);

-- migrate:down

SELECT 1;
