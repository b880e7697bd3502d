-- migrate:up

ALTER TYPE shade ADD VALUE 'dusk';
UPDATE items SET shade = 'dusk' WHERE id = 1; -- red: enum-value

-- migrate:down

-- PostgreSQL cannot remove a value.
-- not restored: A value stays; nothing uses it after the other file.

