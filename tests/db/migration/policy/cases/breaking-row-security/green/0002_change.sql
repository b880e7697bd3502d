-- migrate:up

SET LOCAL lock_timeout = '2s';
CREATE TABLE lists (n int);
ALTER TABLE lists ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON items USING (true);

-- migrate:down

SELECT 1;
