-- migrate:up

SET LOCAL lock_timeout = '2s';

LOCK TABLE items;
LOCK TABLE accounts; -- red: one-table

-- migrate:down

SELECT 1;
