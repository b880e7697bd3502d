-- migrate:up

UPDATE items SET note = title WHERE note IS NOT NULL; -- red: backfill

-- migrate:down

SELECT 1;
