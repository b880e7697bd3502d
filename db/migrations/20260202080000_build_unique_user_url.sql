-- First half of a unique constraint: the slow part, without blocking anybody.
-- A duplicate makes it fail with 23505 and leaves an INVALID index: drop it before the next try.

-- migrate:up transaction:false

-- A user wishes for the same link once; wishes without a link do not count.
CREATE UNIQUE INDEX CONCURRENTLY wishlist_items_user_url_key
    ON wishlist_items (user_id, url);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY wishlist_items_user_url_key;
