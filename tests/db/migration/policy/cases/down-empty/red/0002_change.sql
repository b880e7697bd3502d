-- migrate:up

CREATE TABLE notes (body text);

-- migrate:down

-- Nothing. -- red: down
