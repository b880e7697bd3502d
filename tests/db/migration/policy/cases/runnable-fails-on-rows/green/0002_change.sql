-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ADD COLUMN x int NOT NULL DEFAULT 0;

-- migrate:down

SELECT 1;
