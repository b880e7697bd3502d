-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE items ADD COLUMN place bigint;
CREATE SEQUENCE items_place AS integer OWNED BY items.place; -- red: breaking

-- migrate:down

SELECT 1;
