-- migrate:up

SET LOCAL lock_timeout = '2s';

DO $$ BEGIN ALTER TABLE items RENAME note TO remark; END $$; -- red: breaking

-- migrate:down

SELECT 1;
