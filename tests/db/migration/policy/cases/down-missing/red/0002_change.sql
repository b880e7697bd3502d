-- A note. -- red: down
-- migrate:up

CREATE TABLE notes (body text);
