-- migrate:up

SET LOCAL lock_timeout = '2s';
CREATE FUNCTION hasty() RETURNS void LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
BEGIN ALTER TABLE items ADD seen5 int; END $$;
SELECT hasty();

-- migrate:down

SELECT 1;
