-- migrate:up

SELECT 'CREATE TABLE notes (body text)' \gexec -- red: runnable

-- migrate:down

SELECT 1;
