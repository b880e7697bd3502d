-- migrate:up

CREATE OR REPLACE FUNCTION plain(said text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT lower(said)';
CREATE FUNCTION loud(said text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(said)';
CREATE OR REPLACE FUNCTION loud(said text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(said) || ''!''';

-- migrate:down

SELECT 1;
