-- migrate:up

UPDATE items SET shade = 'dusk' WHERE id = 1;

-- migrate:down

SELECT 1;
