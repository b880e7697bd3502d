-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items ADD COLUMN remark varchar(40);

-- migrate:down

SELECT 1;
