-- migrate:up

ALTER TYPE shade RENAME VALUE 'dark' TO 'dusk'; -- red: breaking

-- migrate:down

SELECT 1;
