-- migrate:up

CREATE FUNCTION my_dblink(text) RETURNS text LANGUAGE sql RETURN 'dblink(1)';
SELECT my_dblink('SELECT dblink_exec(1)');
DROP FUNCTION my_dblink(text);
-- allow: judged The file is part of the image.
COPY accounts (email) FROM '/dev/null';

-- migrate:down

SELECT 1;
