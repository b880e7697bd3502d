-- breaking: releases that read items.note fail with 42703. -- red: breaking

-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE items DROP COLUMN note;

-- migrate:down

SELECT 1;
