-- migrate:up

CREATE VIEW cheap AS SELECT id FROM items WHERE price < 5;

-- migrate:down

DROP VIEW cheap;
