-- breaking: releases that know items.shade fail with 42703.

-- migrate:up

SET LOCAL lock_timeout = '2s';

DROP TYPE shade CASCADE;

-- migrate:down

SELECT 1;
