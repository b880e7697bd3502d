-- migrate:up

CREATE TABLE notes (body text);

-- migrate:down

SELECT 1;
