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
    CONSTRAINT items_pkey PRIMARY KEY (id)
);
COMMENT ON CONSTRAINT items_pkey ON items IS 'Opens one item.';

-- migrate:down

DROP TABLE items;
DROP TABLE accounts;
DROP TYPE shade;
