-- migrate:up

CREATE PUBLICATION feed FOR TABLE items; -- red: breaking

-- migrate:down

SELECT 1;
