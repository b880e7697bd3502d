-- migrate:up

COMMENT ON INDEX items_price_idx IS 'The price filter.';

-- migrate:down

SELECT 1;
