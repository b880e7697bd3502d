-- breaking: releases that read items.price fail with 42703.

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items RENAME price TO cost;

-- migrate:down

ALTER TABLE items RENAME cost TO price;
