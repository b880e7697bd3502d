-- migrate:up

CREATE TABLE notes (body text);

-- migrate:down

DROP TABLE notes;
