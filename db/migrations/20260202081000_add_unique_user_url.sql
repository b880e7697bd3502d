-- Second half: the finished index becomes the constraint, a change of the catalog only.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE wishlist_items
    -- A user wishes for the same link once; wishes without a link do not count.
    ADD CONSTRAINT wishlist_items_user_url_key UNIQUE USING INDEX wishlist_items_user_url_key;

COMMENT ON CONSTRAINT wishlist_items_user_url_key ON wishlist_items IS
    'A user wishes for the same link once; wishes without a link do not count.';

-- migrate:down

SET LOCAL lock_timeout = '2s';

ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_user_url_key;

-- The constraint took its index along; the migration before this one expects it.
-- Blocks writers while it builds: rolling back is for development.
CREATE UNIQUE INDEX wishlist_items_user_url_key ON wishlist_items (user_id, url);
