-- migrate:up

REVOKE EXECUTE ON FUNCTION counted() FROM PUBLIC; -- red: breaking

-- migrate:down

SELECT 1;
