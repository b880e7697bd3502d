-- The wishes. New tables get their constraints at once: nobody waits for an empty table.

-- migrate:up

-- The foreign key locks app_users against writes for a moment.
SET LOCAL lock_timeout = '2s';

CREATE TABLE wishlist_items (
    id bigint GENERATED ALWAYS AS IDENTITY,
    user_id bigint NOT NULL,
    title text NOT NULL,
    url text,
    store store NOT NULL DEFAULT 'other',
    price numeric(12, 2),
    currency currency,
    priority smallint NOT NULL DEFAULT 3,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Opens, changes and deletes one wish by its identifier.
    CONSTRAINT wishlist_items_pkey PRIMARY KEY (id),
    -- A wish belongs to an account and goes when the account goes.
    CONSTRAINT wishlist_items_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES app_users (id) ON DELETE CASCADE,
    -- A wish has a readable title that fits one line of the list: 1 to 200 characters.
    CONSTRAINT wishlist_items_title_check CHECK (length(title) BETWEEN 1 AND 200),
    -- Links are opened by browsers: http or https, no spaces, at most 2000 bytes.
    CONSTRAINT wishlist_items_url_check
        CHECK (url ~ '^https?://[^[:space:]]+$' AND octet_length(url) <= 2000),
    -- Catches a slipped decimal point: a price is 0 to 100000.
    CONSTRAINT wishlist_items_price_check CHECK (price BETWEEN 0 AND 100000),
    -- An amount without its currency means nothing: both are known or neither is.
    CONSTRAINT wishlist_items_price_currency_check
        CHECK ((price IS NULL) = (currency IS NULL)),
    -- The list offers five steps: 1 (must have) to 5 (nice to have).
    CONSTRAINT wishlist_items_priority_check CHECK (priority BETWEEN 1 AND 5)
);

COMMENT ON TABLE wishlist_items IS 'Wishes: one row per thing that a user would like to have.';
COMMENT ON CONSTRAINT wishlist_items_pkey ON wishlist_items IS
    'Opens, changes and deletes one wish by its identifier.';
COMMENT ON CONSTRAINT wishlist_items_user_id_fkey ON wishlist_items IS
    'A wish belongs to an account and goes when the account goes.';
COMMENT ON CONSTRAINT wishlist_items_title_check ON wishlist_items IS
    'A wish has a readable title that fits one line of the list: 1 to 200 characters.';
COMMENT ON CONSTRAINT wishlist_items_url_check ON wishlist_items IS
    'Links are opened by browsers: http or https, no spaces, at most 2000 bytes.';
COMMENT ON CONSTRAINT wishlist_items_price_check ON wishlist_items IS
    'Catches a slipped decimal point: a price is 0 to 100000.';
COMMENT ON CONSTRAINT wishlist_items_price_currency_check ON wishlist_items IS
    'An amount without its currency means nothing: both are known or neither is.';
COMMENT ON CONSTRAINT wishlist_items_priority_check ON wishlist_items IS
    'The list offers five steps: 1 (must have) to 5 (nice to have).';

-- migrate:down

SET LOCAL lock_timeout = '2s';

DROP TABLE wishlist_items;
