-- migrate:up

DELETE FROM items WHERE id = 3;

-- migrate:down

SELECT 1;
