-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE lists ALTER COLUMN n ADD GENERATED ALWAYS AS IDENTITY; -- red: breaking

-- migrate:down

SELECT 1;
