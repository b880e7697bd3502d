-- migrate:up

CREATE EXTENSION IF NOT EXISTS plpgsql;
ALTER EXTENSION plpgsql ADD TYPE shade;
ALTER EXTENSION plpgsql DROP TYPE shade;
COMMENT ON EXTENSION plpgsql IS 'update';

-- migrate:down

SELECT 1;
