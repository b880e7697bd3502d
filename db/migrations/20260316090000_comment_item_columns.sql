-- Column by column, for whoever reads the table with \d+ only.

-- migrate:up

SET LOCAL lock_timeout = '2s';

COMMENT ON COLUMN wishlist_items.id IS 'Identifier, never reused.';
COMMENT ON COLUMN wishlist_items.user_id IS 'Account that made the wish.';
COMMENT ON COLUMN wishlist_items.title IS 'What is wished for, in the user''s words.';
COMMENT ON COLUMN wishlist_items.url IS 'Page of the item in a shop; NULL when the wish is only a thought.';
COMMENT ON COLUMN wishlist_items.store IS 'Shop of the item; other until the nightly job has found it.';
COMMENT ON COLUMN wishlist_items.price IS 'Price when the wish was made; NULL when not known.';
COMMENT ON COLUMN wishlist_items.currency IS 'Currency of price; NULL exactly when price is.';
COMMENT ON COLUMN wishlist_items.priority IS '1 (must have) to 5 (nice to have).';
COMMENT ON COLUMN wishlist_items.created_at IS 'Time when the wish was made.';
COMMENT ON COLUMN wishlist_items.purchased_at IS 'Time of purchase; NULL while the wish is open.';

-- migrate:down

SET LOCAL lock_timeout = '2s';

COMMENT ON COLUMN wishlist_items.purchased_at IS NULL;
COMMENT ON COLUMN wishlist_items.created_at IS NULL;
COMMENT ON COLUMN wishlist_items.priority IS NULL;
COMMENT ON COLUMN wishlist_items.currency IS NULL;
COMMENT ON COLUMN wishlist_items.price IS NULL;
COMMENT ON COLUMN wishlist_items.store IS NULL;
COMMENT ON COLUMN wishlist_items.url IS NULL;
COMMENT ON COLUMN wishlist_items.title IS NULL;
COMMENT ON COLUMN wishlist_items.user_id IS NULL;
COMMENT ON COLUMN wishlist_items.id IS NULL;
