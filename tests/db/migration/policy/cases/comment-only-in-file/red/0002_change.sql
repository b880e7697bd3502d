-- migrate:up

CREATE TABLE lists (
    id bigint GENERATED ALWAYS AS IDENTITY,
    -- Opens one list.
    CONSTRAINT lists_pkey PRIMARY KEY (id) -- red: comment
);

-- migrate:down

DROP TABLE lists;
