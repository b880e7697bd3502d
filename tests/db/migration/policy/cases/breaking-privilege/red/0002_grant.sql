-- migrate:up

GRANT SELECT, INSERT ON items TO pg_monitor;

-- migrate:down

SELECT 1;
