-- migrate:up

GRANT SELECT, INSERT ON items TO pg_monitor, PUBLIC;

-- migrate:down

SELECT 1;
