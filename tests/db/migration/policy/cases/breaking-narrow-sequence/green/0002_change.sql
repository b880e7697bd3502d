-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE items ADD COLUMN place bigint;
CREATE SEQUENCE items_place AS integer OWNED BY items.place;
ALTER SEQUENCE items_place AS bigint;

-- migrate:down

SELECT 1;
