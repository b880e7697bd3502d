-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY items_price_idx ON items (price); -- red: comment comment

-- migrate:down

SELECT 1;
