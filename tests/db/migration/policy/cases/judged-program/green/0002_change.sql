-- migrate:up

-- allow: judged It reads nothing.
COPY items (note) FROM PROGRAM 'true';

-- migrate:down

SELECT 1;
