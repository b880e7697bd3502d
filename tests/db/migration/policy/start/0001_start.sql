-- What every case starts from: two tables, an enum, an index, an account for every item.

-- migrate:up

CREATE TYPE shade AS ENUM ('light', 'dark');

CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY,
    email text,
    -- Target of items.account_id.
    CONSTRAINT accounts_pkey PRIMARY KEY (id)
);
COMMENT ON CONSTRAINT accounts_pkey ON accounts IS 'Target of items.account_id.';

CREATE TABLE items (
    id bigint GENERATED ALWAYS AS IDENTITY,
    account_id bigint NOT NULL,
    title text NOT NULL,
    note varchar(40),
    price integer,
    shade shade NOT NULL DEFAULT 'light',
    -- Opens one item.
    CONSTRAINT items_pkey PRIMARY KEY (id),
    -- An item goes with its account; so whoever waits for the one may wait for the other.
    CONSTRAINT items_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE
);
COMMENT ON CONSTRAINT items_account_id_fkey ON items IS 'An item goes with its account.';
COMMENT ON CONSTRAINT items_pkey ON items IS 'Opens one item.';

-- migrate:down

DROP TABLE items;
DROP TABLE accounts;
DROP TYPE shade;
