-- migrate:up

SET LOCAL lock_timeout = '2s';
CREATE TABLE "NoteBook" (
    -- Opens one notebook.
    id bigint CONSTRAINT notebook_pkey PRIMARY KEY,
    -- A notebook goes with its account.
    account_id bigint CONSTRAINT "notebook_Account" REFERENCES accounts (id)
);
-- The notebooks of an account.
CREATE INDEX notebook_account ON "NoteBook" (account_id);
COMMENT ON CONSTRAINT notebook_pkey ON "NoteBook" IS 'Opens one notebook.';
COMMENT ON CONSTRAINT "notebook_Account" ON "NoteBook" IS 'A notebook goes with its account.';
COMMENT ON INDEX notebook_account IS 'The notebooks of an account.';
-- The titles.
CREATE INDEX items_title ON items (title); -- red: index-build one-table
COMMENT ON INDEX items_title IS 'The titles.';

-- migrate:down

SELECT 1;
