-- migrate:up

REVOKE INSERT, REFERENCES ON items FROM pg_monitor;
GRANT UPDATE ON items TO pg_monitor;

-- migrate:down

SELECT 1;
