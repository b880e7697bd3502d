-- A small index for a job that reads a small part of the table.
-- One statement, no transaction, no lock_timeout; its COMMENT follows in 20260119082000.

-- migrate:up transaction:false

-- The nightly job takes wishes of unknown shops, oldest first, and looks for their store.
CREATE INDEX CONCURRENTLY wishlist_items_unmatched_idx
    ON wishlist_items (created_at)
    WHERE store = 'other';

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY wishlist_items_unmatched_idx;
