-- migrate:up

CREATE TABLE base (n integer);
CREATE TABLE leaf () INHERITS (base);
CREATE TABLE loose (n integer);

-- migrate:down

SELECT 1;
