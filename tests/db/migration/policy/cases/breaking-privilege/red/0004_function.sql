-- migrate:up

-- Counts; nobody else writes it.
CREATE FUNCTION counted() RETURNS int LANGUAGE sql AS 'SELECT 1';
COMMENT ON FUNCTION counted() IS 'one';

-- migrate:down

SELECT 1;
