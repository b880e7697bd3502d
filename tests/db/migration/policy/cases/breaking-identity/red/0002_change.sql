-- migrate:up

SET LOCAL lock_timeout = '2s';
CREATE PUBLICATION feed FOR ALL TABLES;
ALTER TABLE items REPLICA IDENTITY NOTHING; -- red: breaking

-- migrate:down

SELECT 1;
