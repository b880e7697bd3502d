-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items
    -- One item of a title for each account.
    ADD CONSTRAINT items_title_key UNIQUE USING INDEX items_title_key;
COMMENT ON CONSTRAINT items_title_key ON items IS 'One item of a title for each account.';

-- migrate:down

SELECT 1;
