-- migrate:up

CREATE TABLE lists (n int);

-- migrate:down

SELECT 1;
