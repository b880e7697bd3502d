-- breaking: writers of a second item of that title fail with 23505.

-- migrate:up transaction:false

-- One item of a title for each account.
CREATE UNIQUE INDEX CONCURRENTLY items_title_key ON items (account_id, title);

-- migrate:down

SELECT 1;
