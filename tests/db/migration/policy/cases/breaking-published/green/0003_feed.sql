-- migrate:up

CREATE PUBLICATION feed FOR TABLE items WITH (publish = 'insert');

-- migrate:down

SELECT 1;
