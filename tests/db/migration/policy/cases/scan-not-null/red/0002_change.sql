-- breaking: writers that leave the price out fail with 23502.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ALTER COLUMN price SET NOT NULL; -- red: scan

-- migrate:down

SELECT 1;
