--liquibase formatted sql

--changeset shop:store-price-index runInTransaction:false
-- A concurrent build waits for old transactions; a timeout would leave it INVALID.
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY wishlist_items_store_price_idx ON wishlist_items (store, price);
RESET lock_timeout;
--rollback DROP INDEX CONCURRENTLY wishlist_items_store_price_idx;
