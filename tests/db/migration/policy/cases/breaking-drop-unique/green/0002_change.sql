-- migrate:up transaction:false

-- breaking: nobody, the key says the same
-- Opens one item.
CREATE UNIQUE INDEX CONCURRENTLY items_new_pkey ON items (id);

-- migrate:down

DROP INDEX items_new_pkey;
