-- migrate:up

-- allow: comment What stays with a table that leaves its parent is what is tried here.
CREATE TABLE years (at date, stays int CHECK (stays > 0));
CREATE TABLE years_1 () INHERITS (years);

-- migrate:down

SELECT 1;
