-- migrate:up

SET LOCAL lock_timeout = '2s';

-- The price filter.
CREATE INDEX items_price_idx ON items (price); -- red: index-build
COMMENT ON INDEX items_price_idx IS 'The price filter.';

-- migrate:down

SELECT 1;
