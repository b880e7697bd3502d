-- migrate:up

DELETE FROM items WHERE id = 7;

-- migrate:down

SELECT 1;
