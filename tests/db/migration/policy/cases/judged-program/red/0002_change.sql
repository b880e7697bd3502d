-- migrate:up

COPY items (note) FROM PROGRAM 'true'; -- red: judged

-- migrate:down

SELECT 1;
