-- migrate:up

COMMENT ON CONSTRAINT lists_pkey ON lists IS 'Opens one list.';

-- migrate:down

SELECT 1;
