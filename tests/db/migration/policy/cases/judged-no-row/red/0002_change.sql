-- migrate:up

UPDATE items SET note = 'x' WHERE note = 'no such note'; -- red: judged

-- migrate:down

SELECT 1;
