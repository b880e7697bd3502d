-- migrate:up transaction:false

VACUUM items;

-- migrate:down

SELECT 1;
