-- migrate:up transaction:false

CALL in_steps(); -- red: judged

-- migrate:down

SELECT 1;
