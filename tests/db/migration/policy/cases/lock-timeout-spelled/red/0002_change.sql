-- migrate:up

set -- red: lock-timeout
  "lock_timeout"='2s';
ALTER TABLE items ADD COLUMN gone timestamptz;

-- migrate:down

SELECT 1;
