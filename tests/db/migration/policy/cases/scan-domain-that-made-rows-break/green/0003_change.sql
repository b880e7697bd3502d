-- migrate:up

SET LOCAL lock_timeout = '2s';
-- Sizes end.
ALTER DOMAIN size ADD CONSTRAINT small CHECK (VALUE < 0) NOT VALID;
COMMENT ON CONSTRAINT small ON DOMAIN size IS 'Sizes end.';

-- migrate:down

SELECT 1;
