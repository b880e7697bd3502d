-- migrate:up transaction:false

VACUUM FULL items; -- red: rewrite lock-timeout

-- migrate:down

SELECT 1;
