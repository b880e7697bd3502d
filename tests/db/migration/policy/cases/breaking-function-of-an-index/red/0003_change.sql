-- migrate:up

CREATE OR REPLACE FUNCTION plain(said text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(said)'; -- red: breaking

-- migrate:down

SELECT 1;
