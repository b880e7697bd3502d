-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items DROP CONSTRAINT items_price_check;
ALTER TABLE items -- red: breaking
    -- A price has a limit.
    ADD CONSTRAINT items_price_check CHECK (price BETWEEN 0 AND 9) NOT VALID;
COMMENT ON CONSTRAINT items_price_check ON items IS 'A price has a limit.';

-- migrate:down

SELECT 1;
