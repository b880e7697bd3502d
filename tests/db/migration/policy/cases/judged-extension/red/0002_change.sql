-- migrate:up

ALTER EXTENSION plpgsql UPDATE; -- red: judged

-- migrate:down

SELECT 1;
