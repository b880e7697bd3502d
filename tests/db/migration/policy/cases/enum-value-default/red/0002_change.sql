-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TYPE shade ADD VALUE 'dusk';
ALTER TABLE items ALTER COLUMN shade SET DEFAULT 'dusk'; -- red: enum-value

-- migrate:down

SELECT 1;
