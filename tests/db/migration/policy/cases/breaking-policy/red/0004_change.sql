-- migrate:up

SET LOCAL lock_timeout = '2s';
DROP POLICY all_of_it ON lists; -- red: breaking

-- migrate:down

SELECT 1;
