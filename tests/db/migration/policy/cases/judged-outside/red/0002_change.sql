-- migrate:up transaction:false

ALTER SYSTEM SET work_mem = '8MB'; -- red: judged

-- migrate:down

SELECT 1;
