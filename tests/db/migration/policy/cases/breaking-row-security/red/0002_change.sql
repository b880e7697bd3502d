-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE items ENABLE ROW LEVEL SECURITY; -- red: breaking

-- migrate:down

SELECT 1;
