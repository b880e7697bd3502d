-- migrate:up transaction:false

SET statement_timeout = '5s'; -- red: build-timeout
-- allow: one-statement This case is about the timeout.
-- The price filter.
CREATE INDEX CONCURRENTLY items_price_idx ON items (price);

-- migrate:down

SELECT 1;
