-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE items ADD COLUMN IF NOT EXISTS note text, ADD IF NOT EXISTS a int, ADD IF NOT EXISTS b int DEFAULT 7;
ALTER TABLE items ADD COLUMN IF NOT EXISTS price integer DEFAULT 0;
ALTER TABLE items ADD IF NOT EXISTS note text, ADD b_too int DEFAULT 3;
CREATE TABLE IF NOT EXISTS items (id int);

-- migrate:down

SELECT 1;
