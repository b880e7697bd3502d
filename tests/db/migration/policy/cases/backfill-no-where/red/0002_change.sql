-- migrate:up

DELETE FROM items; -- red: backfill

-- migrate:down

SELECT 1;
