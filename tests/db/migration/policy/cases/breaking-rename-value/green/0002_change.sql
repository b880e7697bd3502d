-- breaking: releases that write dark fail with 22P02.

-- migrate:up

ALTER TYPE shade RENAME VALUE 'dark' TO 'dusk';

-- migrate:down

SELECT 1;
