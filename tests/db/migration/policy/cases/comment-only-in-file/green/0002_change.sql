-- migrate:up

CREATE TABLE lists (
    id bigint GENERATED ALWAYS AS IDENTITY,
    -- Opens one list.
    CONSTRAINT lists_pkey PRIMARY KEY (id)
);

-- migrate:down

DROP TABLE lists;
