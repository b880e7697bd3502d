-- migrate:up

COMMENT ON INDEX items_title_key IS 'One item of a title for each account.';

-- migrate:down

SELECT 1;
