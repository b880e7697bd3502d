-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE accounts RENAME TO users; -- red: breaking

-- migrate:down

SELECT 1;
