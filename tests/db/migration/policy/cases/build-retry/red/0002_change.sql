-- migrate:up transaction:false

-- The price filter.
CREATE INDEX CONCURRENTLY IF NOT EXISTS items_price_idx ON items (price); -- red: build-retry

-- migrate:down

SELECT 1;
