-- migrate:up

WITH few AS (SELECT id FROM items WHERE note IS NOT NULL LIMIT 50)
UPDATE items SET note = 'x' FROM few WHERE few.id = items.id;

-- migrate:down

SELECT 1;
