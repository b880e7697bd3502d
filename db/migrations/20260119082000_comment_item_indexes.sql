-- A file without transaction holds one statement, so these comments have a file of their own.

-- migrate:up

SET LOCAL lock_timeout = '2s';

COMMENT ON INDEX wishlist_items_user_created_idx IS
    'A user''s list, newest wish first; also finds the wishes of an account that is deleted.';
COMMENT ON INDEX wishlist_items_unmatched_idx IS
    'The nightly job takes wishes of unknown shops, oldest first, and looks for their store.';

-- migrate:down

SET LOCAL lock_timeout = '2s';

COMMENT ON INDEX wishlist_items_unmatched_idx IS NULL;
COMMENT ON INDEX wishlist_items_user_created_idx IS NULL;
