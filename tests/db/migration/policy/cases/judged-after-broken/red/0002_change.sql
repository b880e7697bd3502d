-- migrate:up

ALTER TABLE nowhere ADD COLUMN n int; -- red: runnable

-- migrate:down

SELECT 1;
