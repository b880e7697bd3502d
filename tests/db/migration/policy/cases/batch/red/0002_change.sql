-- migrate:up

UPDATE items SET note = 'x' WHERE id IN (SELECT id FROM items WHERE note IS NOT NULL LIMIT 900000); -- red: backfill

-- migrate:down

SELECT 1;
