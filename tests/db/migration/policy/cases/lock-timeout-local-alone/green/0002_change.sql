-- migrate:up transaction:false

SET lock_timeout = '2s';
-- allow: one-statement Only pgrehearse db up applies this file.
ALTER TABLE items ADD COLUMN more int;

-- migrate:down

SELECT 1;
