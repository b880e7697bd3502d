-- migrate:up

CREATE FUNCTION dblink_exec(text, text) RETURNS text LANGUAGE sql RETURN 'ALTER TABLE';
SELECT dblink_exec('dbname=other', 'ALTER TABLE items ADD seen int'); -- red: judged
CREATE FUNCTION sends() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM dblink_exec('', 'a'); END $$;
SELECT sends(); -- red: judged
DROP FUNCTION sends();
DROP FUNCTION dblink_exec(text, text);
COPY accounts (email) FROM '/dev/null'; -- red: judged
DO $$ BEGIN COPY accounts (email) FROM '/dev/null'; END $$; -- red: judged

-- migrate:down

SELECT 1;
