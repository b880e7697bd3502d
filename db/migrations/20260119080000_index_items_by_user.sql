-- The table has rows now, so the index is built without blocking writers.
-- One statement, no transaction, no lock_timeout: a build that gives up leaves an INVALID index.
-- Its COMMENT follows in 20260119082000.

-- migrate:up transaction:false

-- A user's list, newest wish first; also finds the wishes of an account that is deleted.
CREATE INDEX CONCURRENTLY wishlist_items_user_created_idx
    ON wishlist_items (user_id, created_at DESC);

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY wishlist_items_user_created_idx;
