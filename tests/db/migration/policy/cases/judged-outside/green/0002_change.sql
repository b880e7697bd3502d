-- migrate:up transaction:false

-- allow: judged It changes one setting.
ALTER SYSTEM SET work_mem = '8MB';

-- migrate:down

SELECT 1;
