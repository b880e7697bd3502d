-- migrate:up transaction:false

-- The price filter.
CREATE INDEX CONCURRENTLY items_price_idx ON items (price);
COMMENT ON INDEX items_price_idx IS 'The price filter.'; -- red: one-statement

-- migrate:down

SELECT 1;
