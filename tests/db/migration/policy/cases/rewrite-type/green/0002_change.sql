-- breaking: prepared statements that return the price fail with 0A000.

-- migrate:up

SET LOCAL lock_timeout = '2s';

-- allow: rewrite The table holds forty rows, one for each country.
ALTER TABLE items ALTER COLUMN price TYPE bigint;

-- migrate:down

SELECT 1;
