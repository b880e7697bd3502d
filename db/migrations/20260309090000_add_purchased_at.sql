-- Bought wishes stay on the list. The rule is not checked against old rows yet: no scan under a strong lock.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE wishlist_items
    ADD COLUMN purchased_at timestamptz,
    -- Nobody buys a wish before it was made.
    ADD CONSTRAINT wishlist_items_purchased_check CHECK (purchased_at >= created_at) NOT VALID;

COMMENT ON CONSTRAINT wishlist_items_purchased_check ON wishlist_items IS
    'Nobody buys a wish before it was made.';

-- migrate:down

SET LOCAL lock_timeout = '2s';

-- Drops the constraint of the column too.
ALTER TABLE wishlist_items DROP COLUMN purchased_at;
