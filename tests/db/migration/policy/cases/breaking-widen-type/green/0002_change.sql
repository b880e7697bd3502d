-- breaking: prepared statements that return the note fail once with 0A000.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ALTER COLUMN note TYPE text;

-- migrate:down

SELECT 1;
