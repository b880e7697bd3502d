-- migrate:up

SET LOCAL lock_timeout = '2s';

DROP TYPE shade CASCADE; -- red: breaking breaking

-- migrate:down

SELECT 1;
