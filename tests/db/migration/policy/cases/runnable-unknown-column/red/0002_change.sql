-- migrate:up

CREATE VIEW cheap AS SELECT id FROM items WHERE cost < 5; -- red: runnable

-- migrate:down

SELECT 1;
