-- migrate:up

-- allow: judged Forty rows at most, counted on production.
UPDATE items SET note = 'x' WHERE note = 'no such note';

-- migrate:down

SELECT 1;
