-- Reads the whole table, and readers and writers keep working: a transaction of its own.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE wishlist_items VALIDATE CONSTRAINT wishlist_items_purchased_check;

-- migrate:down

SET LOCAL lock_timeout = '2s';

-- Nothing takes a validation back, so the constraint is made again.
ALTER TABLE wishlist_items
    DROP CONSTRAINT wishlist_items_purchased_check,
    -- Nobody buys a wish before it was made.
    ADD CONSTRAINT wishlist_items_purchased_check CHECK (purchased_at >= created_at) NOT VALID;

COMMENT ON CONSTRAINT wishlist_items_purchased_check ON wishlist_items IS
    'Nobody buys a wish before it was made.';
