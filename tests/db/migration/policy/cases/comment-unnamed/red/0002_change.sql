-- migrate:up

CREATE TABLE lists (id bigint PRIMARY KEY); -- red: comment

-- migrate:down

DROP TABLE lists;
