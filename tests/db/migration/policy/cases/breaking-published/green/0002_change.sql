-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE items REPLICA IDENTITY NOTHING;

-- migrate:down

SELECT 1;
