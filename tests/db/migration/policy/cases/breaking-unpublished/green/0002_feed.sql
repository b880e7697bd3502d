-- migrate:up

CREATE PUBLICATION feed FOR TABLE items;

-- migrate:down

SELECT 1;
