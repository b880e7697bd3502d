-- migrate:up

BEGIN; -- red: runnable
CREATE TABLE notes (body text);
COMMIT;

-- migrate:down

SELECT 1;
