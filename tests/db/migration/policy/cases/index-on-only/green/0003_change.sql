-- migrate:up

SET LOCAL lock_timeout = '2s';
-- The events of a number.
CREATE INDEX event_n ON ONLY "Event" (n);
COMMENT ON INDEX event_n IS 'The events of a number.';

-- migrate:down

SELECT 1;
