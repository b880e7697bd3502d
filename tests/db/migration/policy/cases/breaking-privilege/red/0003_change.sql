-- migrate:up

REVOKE INSERT ON items FROM pg_monitor; -- red: breaking

-- migrate:down

SELECT 1;
