-- breaking: writers of negative prices fail with 23514.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items
    -- A price is not negative.
    ADD CONSTRAINT items_price_check CHECK (price >= 0) NOT VALID;
COMMENT ON CONSTRAINT items_price_check ON items IS 'A price is not negative.';

-- migrate:down

ALTER TABLE items DROP CONSTRAINT items_price_check;
