-- migrate:up

SET LOCAL lock_timeout = '2s';
CREATE TABLE passing (n integer);
TRUNCATE passing;

-- migrate:down

SELECT 1;
