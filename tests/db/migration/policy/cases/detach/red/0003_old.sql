-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE days DETACH PARTITION days_1; -- red: detach

-- migrate:down

SELECT 1;
