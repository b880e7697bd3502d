-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items RENAME price TO cost; -- red: breaking

-- migrate:down

ALTER TABLE items RENAME cost TO price;
