-- migrate:up transaction:false

SET lock_timeout = '2s'; -- red: build-timeout
-- allow: one-statement This case is about the timeout.
-- The price filter.
CREATE INDEX CONCURRENTLY items_price_idx ON items (price);

-- migrate:down

SELECT 1;
