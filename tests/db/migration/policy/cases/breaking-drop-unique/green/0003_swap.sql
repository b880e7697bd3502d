-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE items
    DROP CONSTRAINT items_pkey,
    -- Opens one item.
    ADD CONSTRAINT items_pkey PRIMARY KEY USING INDEX items_new_pkey;
COMMENT ON CONSTRAINT items_pkey ON items IS 'Opens one item.';

-- migrate:down

SELECT 1;
