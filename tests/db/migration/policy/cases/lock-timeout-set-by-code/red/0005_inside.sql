-- migrate:up

SET LOCAL lock_timeout = '2s';
CREATE FUNCTION patient() RETURNS void LANGUAGE plpgsql SET lock_timeout = 0 AS $$
BEGIN ALTER TABLE items ADD seen5 int; END $$;
SELECT patient(); -- red: lock-timeout

-- migrate:down

SELECT 1;
