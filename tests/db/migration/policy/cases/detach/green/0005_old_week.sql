-- migrate:up

SET LOCAL lock_timeout = '2s';
-- PostgreSQL detaches nothing CONCURRENTLY while there is a default partition.
ALTER TABLE weeks DETACH PARTITION weeks_1;

-- migrate:down

SELECT 1;
