-- migrate:up
DELETE FROM items; -- red: judged

-- migrate:down

SELECT 1;
