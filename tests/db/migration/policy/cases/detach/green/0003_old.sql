-- migrate:up transaction:false

SET lock_timeout = '2s';

-- allow: one-statement The timeout holds for the lock on the partition.
ALTER TABLE days DETACH PARTITION days_1 CONCURRENTLY;

-- migrate:down

SELECT 1;
