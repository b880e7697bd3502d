-- Second half: the finished index becomes the constraint, a change of the catalog only.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE wishlist_items
    -- A user wishes for a link once (no link: any number); also finds all who wish for it.
    ADD CONSTRAINT wishlist_items_url_user_key UNIQUE USING INDEX wishlist_items_url_user_key;

COMMENT ON CONSTRAINT wishlist_items_url_user_key ON wishlist_items IS
    'A user wishes for a link once (no link: any number); also finds all who wish for it.';

-- migrate:down

SET LOCAL lock_timeout = '2s';

ALTER TABLE wishlist_items DROP CONSTRAINT wishlist_items_url_user_key;

-- The constraint took its index along; the migration before this one expects it.
-- Blocks writers while it builds: rolling back is for development.
CREATE UNIQUE INDEX wishlist_items_url_user_key ON wishlist_items (url, user_id);
