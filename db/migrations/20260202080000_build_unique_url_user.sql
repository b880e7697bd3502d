-- First half of a unique constraint: the slow part, without blocking anybody.
-- breaking: writers of a link that the user has wished for already fail with 23505.
-- A duplicate makes it fail with 23505 and leaves an INVALID index: drop it before the next try.

-- migrate:up transaction:false

-- A user wishes for a link once (no link: any number); also finds all who wish for it.
CREATE UNIQUE INDEX CONCURRENTLY wishlist_items_url_user_key
    ON wishlist_items (url, user_id);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY wishlist_items_url_user_key;
