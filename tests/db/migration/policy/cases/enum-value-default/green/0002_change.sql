-- migrate:up

CREATE TYPE tone AS ENUM ('low');
ALTER TYPE tone RENAME VALUE 'low' TO 'deep';
CREATE TABLE notes (tone tone DEFAULT 'deep');

-- migrate:down

DROP TABLE notes;
DROP TYPE tone;
