-- The people who keep a wish list.

-- migrate:up

CREATE TABLE app_users (
    id bigint GENERATED ALWAYS AS IDENTITY,
    email text NOT NULL,
    display_name text,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Target of wishlist_items.user_id.
    CONSTRAINT app_users_pkey PRIMARY KEY (id),
    -- One account per address; sign-in looks the account up by email.
    CONSTRAINT app_users_email_key UNIQUE (email),
    -- An address has text on both sides of the at sign.
    CONSTRAINT app_users_email_check CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$')
);

COMMENT ON TABLE app_users IS 'Accounts; each one keeps a wish list.';
COMMENT ON COLUMN app_users.id IS 'Identifier, never reused.';
COMMENT ON COLUMN app_users.email IS 'Sign-in address, stored in lower case by the application.';
COMMENT ON COLUMN app_users.display_name IS 'Name shown to others; NULL until the user chooses one.';
COMMENT ON COLUMN app_users.created_at IS 'Time of registration.';
COMMENT ON CONSTRAINT app_users_pkey ON app_users IS
    'Target of wishlist_items.user_id.';
COMMENT ON CONSTRAINT app_users_email_key ON app_users IS
    'One account per address; sign-in looks the account up by email.';
COMMENT ON CONSTRAINT app_users_email_check ON app_users IS
    'An address has text on both sides of the at sign.';

-- migrate:down

DROP TABLE app_users;
