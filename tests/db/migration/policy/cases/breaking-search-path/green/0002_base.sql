-- migrate:up

CREATE TYPE mood AS ENUM ('a');
CREATE TABLE base (n integer, m mood);
CREATE TABLE leaf () INHERITS (base);
CREATE FUNCTION plain(m mood, t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $2';
ALTER TABLE leaf ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON leaf USING (m = 'a'::mood);

-- migrate:down

SELECT 1;
