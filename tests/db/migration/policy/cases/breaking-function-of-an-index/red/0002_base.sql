-- migrate:up

CREATE FUNCTION plain(said text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(said)';
CREATE TABLE "Word" (said text);
-- Words as they are looked for.
CREATE INDEX word_plain ON "Word" (plain(said));
COMMENT ON INDEX word_plain IS 'Words as they are looked for.';

-- migrate:down

SELECT 1;
