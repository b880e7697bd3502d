-- migrate:up

UPDATE items SET note = 'x' WHERE id IN (SELECT id FROM items WHERE note IS NOT NULL ORDER BY id LIMIT 500);

-- migrate:down

SELECT 1;
