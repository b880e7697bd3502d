-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE kept ENABLE ALWAYS TRIGGER stays;

-- migrate:down

SELECT 1;
