-- breaking: writers that leave the price out fail with 23502.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ALTER COLUMN note SET NOT NULL; -- red: scan
ALTER TABLE items ADD COLUMN x int NOT NULL; -- red: runnable

-- migrate:down

SELECT 1;
