-- breaking: writers that leave the price out fail with 23502.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items
    -- Every item has a price.
    ADD CONSTRAINT items_price_set CHECK (price IS NOT NULL) NOT VALID;

-- migrate:down

SELECT 1;
