-- migrate:up

CREATE TABLE lists (n int NOT NULL);

-- migrate:down

SELECT 1;
