-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE leaf NO INHERIT base; -- red: breaking

-- migrate:down

SELECT 1;
