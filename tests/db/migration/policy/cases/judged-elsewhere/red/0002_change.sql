-- migrate:up

CREATE FUNCTION dblink_exec(text, text) RETURNS text LANGUAGE sql RETURN 'ALTER TABLE';
SELECT dblink_exec('dbname=other', 'ALTER TABLE items ADD seen int'); -- red: judged
DROP FUNCTION dblink_exec(text, text);
COPY accounts (email) FROM '/dev/null'; -- red: judged

-- migrate:down

SELECT 1;
