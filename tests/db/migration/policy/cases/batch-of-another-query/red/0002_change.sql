-- migrate:up

UPDATE items SET note = 'x' WHERE note IS NOT NULL AND 1 = (SELECT 1 LIMIT 1); -- red: backfill

-- migrate:down

SELECT 1;
