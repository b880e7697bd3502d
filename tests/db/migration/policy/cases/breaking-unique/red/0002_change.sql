-- migrate:up transaction:false

-- One item of a title for each account.
CREATE UNIQUE INDEX CONCURRENTLY items_title_key ON items (account_id, title); -- red: breaking

-- migrate:down

SELECT 1;
