-- migrate:up

-- The price filter.
CREATE INDEX CONCURRENTLY items_price_idx ON items (price); -- red: runnable

-- migrate:down

SELECT 1;
