-- migrate:up

ALTER EXTENSION plpgsql UPDATE; -- red: judged
DO $$ BEGIN EXECUTE format('ALTER EXTENSION %I UPDATE', 'plpgsql'); END $$; -- red: judged

-- migrate:down

SELECT 1;
