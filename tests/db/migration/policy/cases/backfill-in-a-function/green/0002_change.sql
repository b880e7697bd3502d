-- migrate:up

CREATE FUNCTION adds() RETURNS void LANGUAGE sql AS $$
INSERT INTO accounts (email) VALUES ('a@example.org');
$$;
SELECT adds();

-- migrate:down

SELECT 1;
