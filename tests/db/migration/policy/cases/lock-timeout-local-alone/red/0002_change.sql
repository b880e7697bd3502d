-- migrate:up transaction:false

SET LOCAL lock_timeout = '2s';
-- allow: one-statement Only pgrehearse db up applies this file.
ALTER TABLE items ADD COLUMN more int; -- red: lock-timeout

-- migrate:down

SELECT 1;
