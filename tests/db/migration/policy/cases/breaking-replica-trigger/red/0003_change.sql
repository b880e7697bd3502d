-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE kept ENABLE REPLICA TRIGGER stays; -- red: breaking

-- migrate:down

SELECT 1;
