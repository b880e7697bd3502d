-- migrate:up

SET LOCAL lock_timeout = '2s';
-- breaking: nobody asks for all years
ALTER TABLE years_1 NO INHERIT years;

-- migrate:down

SELECT 1;
