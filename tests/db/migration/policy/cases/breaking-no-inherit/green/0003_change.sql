-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE loose INHERIT base;

-- migrate:down

SELECT 1;
