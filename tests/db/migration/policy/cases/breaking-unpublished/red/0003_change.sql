-- migrate:up

ALTER PUBLICATION feed DROP TABLE items; -- red: breaking

-- migrate:down

SELECT 1;
