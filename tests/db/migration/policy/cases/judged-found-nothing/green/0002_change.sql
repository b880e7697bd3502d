-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE IF EXISTS items ADD seen int;
DROP TABLE IF EXISTS never_there;
CREATE TABLE IF NOT EXISTS items (id int);

-- migrate:down

SELECT 1;
